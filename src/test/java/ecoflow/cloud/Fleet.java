package ecoflow.cloud;

import static java.util.Map.entry;

import java.util.List;
import java.util.Map;

/**
 * Devices of several model families. Their values depend only on the hour of the day, from 0 to 24,
 * and on the step: the sun shines from 6 to 18 h, with passing clouds, batteries are full at
 * sunset, and the home needs most power in the evening.
 */
public final class Fleet {

  /** Steps in a day that starts at sunrise; a multiple of {@link #FULL_PUSH}. */
  public static final int DAY = 60;

  /** Interval in steps at which a device pushes all its values, not only the changed ones. */
  public static final int FULL_PUSH = 30;

  private static final int SUNRISE = 6;

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
    devices().forEach(device -> device.set(changing(device.serial(), SUNRISE, 0)));
  }

  public List<SimulatedDevice> devices() {
    return List.of(delta2, river3, delta3, stream, plug);
  }

  /** Moves all devices to this step, at which they push. A day has {@link #DAY} steps. */
  public void tick(long step) {
    tick((SUNRISE + 24.0 * step / DAY) % 24, step);
  }

  /** Moves all devices to this hour of the day; those that are online push. */
  void tick(double hour, long step) {
    for (SimulatedDevice device : devices()) {
      Map<String, Object> values = changing(device.serial(), hour, step);
      if (!device.isOnline()) {
        device.set(values);
      } else if (step % FULL_PUSH == 0) {
        device.set(values);
        device.pushAll();
      } else {
        device.push(values);
      }
    }
  }

  /** Disconnects RIVER 3 from the cloud, or connects it again, with all its values. */
  void setRiver3Online(boolean online) {
    if (river3.isOnline() != online) {
      river3.setOnline(online);
      river3.publishStatus("{\"params\":{\"status\":%d}}".formatted(online ? 1 : 0));
      if (online) {
        river3.pushAll();
      }
    }
  }

  private static Map<String, Object> changing(String serial, double hour, long step) {
    return switch (serial) {
      case DELTA_2 -> delta2(sun(hour, 3.7), charge(hour, 20, 80), step);
      case RIVER_3 -> river3(sun(hour, 2.9), charge(hour, 62, 97));
      case DELTA_3 -> delta3(sun(hour, 5.3), charge(hour, 41, 66));
      case STREAM_ULTRA -> stream(sun(hour, 3.7), charge(hour, 12, 94), homeLoad(hour, step));
      case SMART_PLUG -> plug(step);
      default -> throw new IllegalArgumentException(serial);
    };
  }

  /**
   * A part of the highest solar power, from 0 to 1, which it reaches at noon.
   *
   * @param cloudsPerHour frequency of the clouds, which take at most 40 %
   */
  private static double sun(double hour, double cloudsPerHour) {
    double clearSky = Math.max(0, Math.sin(2 * Math.PI * (hour - SUNRISE) / 24));
    return clearSky * (0.8 + 0.2 * Math.cos(2 * Math.PI * cloudsPerHour * (hour - 12)));
  }

  /** Percent with one decimal: the lowest charge at sunrise, the highest at sunset. */
  private static float charge(double hour, int lowest, int highest) {
    double middle = (lowest + highest) / 2.0;
    double change = (highest - lowest) / 2.0 * Math.cos(2 * Math.PI * (hour - SUNRISE) / 24);
    return Math.round(10 * (middle - change)) / 10f;
  }

  /** Watts, with a small peak in the morning and a large one in the evening. */
  private static float homeLoad(double hour, long step) {
    double morning = 150 * Math.exp(-Math.pow((hour - 7.5) / 1.5, 2));
    double evening = 420 * Math.exp(-Math.pow((hour - 19.5) / 2, 2));
    return Math.round(190 + morning + evening) + step % 5 * 20;
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

  private static Map<String, Object> stream(double sun, float soc, float load) {
    float solar = Math.round(800 * sun);
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
