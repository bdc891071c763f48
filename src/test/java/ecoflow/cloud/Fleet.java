package ecoflow.cloud;

import static java.util.Map.entry;

import java.util.List;
import java.util.Map;

/**
 * Devices of several model families that simulate sunny days of {@link #DAY} steps. Their values
 * depend only on the step: the sun shines in the first half of a day and not at all in the second,
 * so every solar power falls to zero and rises again.
 */
public final class Fleet {

  /** Steps in a day; a multiple of {@link #FULL_PUSH}. */
  public static final int DAY = 60;

  /** Interval in steps at which a device pushes all its values, not only the changed ones. */
  public static final int FULL_PUSH = 30;

  /** JSON, with lists of numbers as cell values. */
  public static final String DELTA_2 = "R331DEMO00000001";

  /** Plain protobuf. This model is not available in EcoFlow's developer API. */
  public static final String RIVER_3 = "R651DEMO00000002";

  /** XORed protobuf. */
  public static final String DELTA_3 = "P231DEMO00000003";

  /** Base64 protobuf; the cloud returns no product name. */
  public static final String STREAM_ULTRA = "BK11DEMO00000004";

  /** JSON; powers and currents in tenths. */
  public static final String SMART_PLUG = "HW52DEMO00000005";

  private final SimulatedDevice delta2 =
      new SimulatedDevice(DELTA_2, "Garage", "DELTA 2", WireFormat.JSON)
          .set(
              Map.ofEntries(
                  entry("pd.model", 2),
                  entry("pd.sysVer", 16_843_009),
                  entry("pd.beepMode", 0),
                  entry("pd.wifiRssi", -52),
                  entry("pd.bpPowerSoc", 30),
                  entry("pd.carState", 0),
                  entry("pd.dcOutState", 1),
                  entry("pd.errCode", 0),
                  entry("inv.acInVol", 231_000),
                  entry("inv.acInFreq", 50),
                  entry("inv.inputWatts", 0),
                  entry("inv.invOutVol", 230_000),
                  entry("inv.invOutFreq", 50),
                  entry("inv.cfgAcEnabled", 1),
                  entry("mppt.cfgAcEnabled", 1),
                  entry("mppt.cfgChgType", 0),
                  entry("mppt.faultCode", 0),
                  entry("bms_emsStatus.maxChargeSoc", 90),
                  entry("bms_emsStatus.minDsgSoc", 10),
                  entry("bms_bmsStatus.cycles", 41),
                  entry("bms_bmsStatus.soh", 99),
                  entry("bms_bmsStatus.designCap", 20_000),
                  entry("bms_bmsStatus.fullCap", 19_800),
                  entry("bms_bmsStatus.hwVersion", "V1.0")));

  private final SimulatedDevice river3 =
      new SimulatedDevice(RIVER_3, "Camping", "RIVER 3", WireFormat.PROTOBUF_PLAIN)
          .set(
              Map.of(
                  "errcode", 0,
                  "lcdLight", 80,
                  "enBeep", true,
                  "xboostEn", false,
                  "devStandbyTime", 120,
                  "bmsDesignCap", 12_800));

  private final SimulatedDevice delta3 =
      new SimulatedDevice(DELTA_3, "Van", "DELTA 3", WireFormat.PROTOBUF_XOR)
          .set(
              Map.ofEntries(
                  entry("errcode", 0),
                  entry("lcdLight", 0),
                  entry("enBeep", false),
                  entry("utcTimezone", -330),
                  entry("utcTimezoneId", "America/New_York"),
                  entry("bmsBattSoh", 100f),
                  entry("plugInInfoAcInFlag", 0),
                  entry(
                      "pvDcChgSettingList",
                      Map.of("listInfo", List.of(pvSetting(1, 1, 8), pvSetting(1, 2, 5))))));

  private final SimulatedDevice stream =
      new SimulatedDevice(STREAM_ULTRA, "Balcony", null, WireFormat.PROTOBUF_BASE64)
          .set(Map.of("bmsMainSn", STREAM_ULTRA, "bmsBattSoh", 98.5f, "moduleWifiRssi", -61f));

  private final SimulatedDevice plug =
      new SimulatedDevice(SMART_PLUG, "Fridge", "Smart Plug", WireFormat.JSON)
          .set(
              Map.of(
                  "2_1.freq", 50,
                  "2_1.brightness", 512,
                  "2_1.maxWatts", 2_500,
                  "2_1.errCode", 0));

  public Fleet() {
    river3.setOpenToDevelopers(false);
    devices().forEach(device -> device.set(changing(device.serial(), 0)));
  }

  public List<SimulatedDevice> devices() {
    return List.of(delta2, river3, delta3, stream, plug);
  }

  /** Moves all devices to this step, at which they push. */
  public void tick(long step) {
    for (SimulatedDevice device : devices()) {
      Map<String, Object> values = changing(device.serial(), step);
      if (step % FULL_PUSH == 0) {
        device.set(values);
        device.pushAll();
      } else {
        device.push(values);
      }
    }
  }

  private static Map<String, Object> changing(String serial, long step) {
    double sun = Math.max(0, Math.sin(2 * Math.PI * step / DAY));
    // Highest at dusk, lowest at dawn.
    float soc = Math.round(500 - 300 * Math.cos(2 * Math.PI * step / DAY)) / 10f;
    return switch (serial) {
      case DELTA_2 -> delta2(sun, soc, step);
      case RIVER_3 -> river3(sun, soc);
      case DELTA_3 -> delta3(sun, soc);
      case STREAM_ULTRA -> stream(sun, soc, step);
      case SMART_PLUG -> plug(step);
      default -> throw new IllegalArgumentException(serial);
    };
  }

  private static Map<String, Object> delta2(double sun, float soc, long step) {
    int solar = (int) Math.round(400 * sun);
    int load = 120 + (int) (step % 7) * 10;
    int cell = 3_200 + Math.round(soc);
    return Map.ofEntries(
        entry("pd.soc", Math.round(soc)),
        entry("pd.wattsInSum", solar),
        entry("pd.wattsOutSum", load),
        entry("pd.typec1Watts", 20),
        entry("mppt.inWatts", solar),
        entry("mppt.inVol", solar > 0 ? 40_000 : 1_400),
        entry("mppt.inAmp", solar * 25),
        entry("mppt.mpptTemp", 30 + solar / 40),
        entry("inv.outputWatts", load - 20),
        entry("inv.outTemp", 33),
        entry("bms_emsStatus.f32LcdShowSoc", soc),
        entry("bms_emsStatus.chgRemainTime", solar > load ? Math.round((100 - soc) * 8) : 5_999),
        entry("bms_emsStatus.dsgRemainTime", solar > load ? 5_999 : Math.round(soc * 8)),
        entry("bms_bmsStatus.remainCap", Math.round(198 * soc)),
        entry("bms_bmsStatus.maxCellVol", cell + 1),
        entry("bms_bmsStatus.minCellVol", cell - 1),
        entry("bms_bmsStatus.maxCellTemp", 25),
        entry("bms_bmsStatus.minCellTemp", 24),
        entry("bms_bmsStatus.soc", Math.round(soc)),
        entry("bms_bmsStatus.f32ShowSoc", soc),
        entry("bms_bmsStatus.vol", 16 * cell),
        entry("bms_bmsStatus.amp", (solar - load) * 20),
        entry("bms_bmsStatus.temp", 24),
        entry("bms_bmsStatus.cellVol", List.of(cell, cell + 1, cell, cell - 1)),
        entry("bms_bmsStatus.cellTemp", List.of(24, 25, 24)));
  }

  private static Map<String, Object> river3(double sun, float soc) {
    float solar = Math.round(110 * sun);
    return Map.ofEntries(
        entry("powInSumW", solar),
        entry("powOutSumW", 15f),
        entry("powGetPv", solar),
        entry("powGetTypec1", 15f),
        entry("bmsBattSoc", soc),
        entry("cmsBattSoc", soc),
        entry("bmsMinCellTemp", 19),
        entry("bmsMaxCellTemp", 21));
  }

  private static Map<String, Object> delta3(double sun, float soc) {
    float solar = Math.round(500 * sun);
    return Map.ofEntries(
        entry("powInSumW", solar),
        entry("powOutSumW", 75.5f),
        entry("powGetPv", solar),
        entry("powGetAc", -75.5f),
        entry("bmsBattSoc", soc),
        entry("cmsBattSoc", soc),
        entry("cmsChgDsgState", solar > 75.5f ? 2 : 1),
        entry("cmsDsgRemTime", Math.round(soc * 10)),
        entry("bmsMinCellTemp", -4),
        entry("bmsMaxCellTemp", 1));
  }

  private static Map<String, Object> stream(double sun, float soc, long step) {
    float solar = Math.round(800 * sun);
    float load = 210 + step % 5 * 20;
    float battery = Math.max(-200, Math.min(600, solar - load));
    return Map.of(
        "powGetPvSum", solar,
        "powGetSysLoad", load,
        "powGetBpCms", battery,
        "powGetSysGrid", load + battery - solar,
        "bmsBattSoc", soc,
        "cmsBattSoc", soc);
  }

  private static Map<String, Object> plug(long step) {
    // The compressor of a fridge: on for 20 steps, off for 10.
    boolean on = step % 30 < 20;
    return Map.of(
        "2_1.switchSta",
        true,
        "2_1.watts",
        on ? 853 : 0,
        "2_1.current",
        on ? 371 : 0,
        "2_1.volt",
        230,
        "2_1.temp",
        31);
  }

  private static Map<String, Integer> pvSetting(int plug, int voltage, int amperes) {
    return Map.of("pvPlugIndex", plug, "pvChgVolSpec", voltage, "pvChgAmpLimit", amperes);
  }
}
