package ecoflow.cloud;

import static java.util.Map.entry;

import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The protobuf messages of one device: frames of headers whose payload is a DisplayPropertyUpload
 * (command 254/21) or a BMSHeartBeatReport (32/50).
 */
final class DeviceFrames {

  private enum Type {
    REAL,
    INTEGER,
    BOOL,
    TEXT,
    PV_SETTINGS
  }

  private record Field(int number, Type type) {}

  /** The fields of DisplayPropertyUpload that simulated devices support, by developer API name. */
  private static final Map<String, Field> FIELDS =
      Map.ofEntries(
          entry("errcode", new Field(1, Type.INTEGER)),
          entry("powInSumW", new Field(3, Type.REAL)),
          entry("powOutSumW", new Field(4, Type.REAL)),
          entry("lcdLight", new Field(5, Type.INTEGER)),
          entry("powGetQcusb1", new Field(9, Type.REAL)),
          entry("powGetTypec1", new Field(11, Type.REAL)),
          entry("devStandbyTime", new Field(17, Type.INTEGER)),
          entry("xboostEn", new Field(25, Type.BOOL)),
          entry("powGet12v", new Field(37, Type.REAL)),
          entry("powGetAc", new Field(53, Type.REAL)),
          entry("powGetAcIn", new Field(54, Type.REAL)),
          entry("plugInInfoAcInFlag", new Field(61, Type.INTEGER)),
          entry("pvDcChgSettingList", new Field(125, Type.PV_SETTINGS)),
          entry("utcTimezone", new Field(133, Type.INTEGER)),
          entry("utcTimezoneId", new Field(134, Type.TEXT)),
          entry("enBeep", new Field(195, Type.BOOL)),
          entry("bmsBattSoc", new Field(242, Type.REAL)),
          entry("bmsBattSoh", new Field(243, Type.REAL)),
          entry("bmsDesignCap", new Field(248, Type.INTEGER)),
          entry("bmsMinCellTemp", new Field(258, Type.INTEGER)),
          entry("bmsMaxCellTemp", new Field(259, Type.INTEGER)),
          entry("cmsBattSoc", new Field(262, Type.REAL)),
          entry("cmsDsgRemTime", new Field(268, Type.INTEGER)),
          entry("cmsChgRemTime", new Field(269, Type.INTEGER)),
          entry("cmsChgDsgState", new Field(282, Type.INTEGER)),
          entry("powGetPv", new Field(361, Type.REAL)),
          entry("bmsMainSn", new Field(392, Type.TEXT)),
          entry("powGetSysGrid", new Field(515, Type.REAL)),
          entry("powGetSysLoad", new Field(516, Type.REAL)),
          entry("powGetPvSum", new Field(517, Type.REAL)),
          entry("powGetBpCms", new Field(518, Type.REAL)),
          entry("moduleWifiRssi", new Field(602, Type.REAL)));

  private final String serial;
  private final WireFormat format;

  /** Increases with every header. Starts at any int, which is negative for some devices. */
  private int sequence;

  DeviceFrames(String serial, WireFormat format) {
    this.serial = serial;
    this.format = format;
    this.sequence = serial.hashCode();
  }

  static void checkNames(Map<String, ?> quota) {
    for (String name : quota.keySet()) {
      if (!FIELDS.containsKey(name)) {
        throw new IllegalArgumentException("No protobuf field for " + name);
      }
    }
  }

  /** A frame with one header and the given values. */
  synchronized byte[] increment(Map<String, ?> changes) {
    return outer(List.of(header(254, 21, display(changes), format == WireFormat.PROTOBUF_XOR)));
  }

  /** A frame of several headers that together contain all values. */
  synchronized byte[] bundle(Map<String, ?> quota, boolean pushed) {
    boolean masked = pushed && format == WireFormat.PROTOBUF_XOR;
    Map<String, Object> first = new LinkedHashMap<>();
    Map<String, Object> second = new LinkedHashMap<>();
    quota.forEach(
        (name, value) -> (first.size() <= second.size() ? first : second).put(name, value));
    List<byte[]> headers = new ArrayList<>();
    headers.add(header(254, 21, display(first), masked));
    if (quota.get("bmsBattSoc") instanceof Number soc) {
      headers.add(header(32, 50, batteryHeartbeat(soc), masked));
    }
    headers.add(header(254, 21, display(second), masked));
    // Some devices end their frames with an empty header.
    headers.add(new byte[0]);
    return outer(headers);
  }

  private byte[] outer(List<byte[]> headers) {
    ProtobufWriter frame = new ProtobufWriter();
    headers.forEach(header -> frame.bytes(1, header));
    byte[] bytes = frame.toByteArray();
    return format == WireFormat.PROTOBUF_BASE64 ? Base64.getEncoder().encode(bytes) : bytes;
  }

  private byte[] header(int function, int command, byte[] payload, boolean masked) {
    int number = sequence++;
    ProtobufWriter header =
        new ProtobufWriter()
            .bytes(1, masked ? masked(payload, number) : payload)
            .integer(2, 2)
            .integer(3, 32);
    if (masked) {
      header.integer(6, 1);
    }
    return header
        .integer(7, 3)
        .integer(8, function)
        .integer(9, command)
        .integer(10, payload.length)
        .integer(14, number)
        .integer(16, 3)
        .integer(17, 1)
        .text(25, serial)
        .toByteArray();
  }

  private static byte[] masked(byte[] payload, int number) {
    byte[] result = payload.clone();
    for (int i = 0; i < result.length; i++) {
      result[i] ^= (byte) (number & 0xff);
    }
    return result;
  }

  private static byte[] display(Map<String, ?> values) {
    ProtobufWriter message = new ProtobufWriter();
    values.forEach(
        (name, value) -> {
          Field field = FIELDS.get(name);
          switch (field.type()) {
            case REAL -> message.real(field.number(), ((Number) value).floatValue());
            case INTEGER -> message.integer(field.number(), ((Number) value).longValue());
            case BOOL -> message.integer(field.number(), Boolean.TRUE.equals(value) ? 1 : 0);
            case TEXT -> message.text(field.number(), (String) value);
            case PV_SETTINGS -> message.bytes(field.number(), pvSettings(value));
          }
        });
    return message.toByteArray();
  }

  private static byte[] pvSettings(Object value) {
    ProtobufWriter list = new ProtobufWriter();
    for (Object item : (List<?>) ((Map<?, ?>) value).get("listInfo")) {
      Map<?, ?> setting = (Map<?, ?>) item;
      list.bytes(
          1,
          new ProtobufWriter()
              .integer(1, ((Number) setting.get("pvPlugIndex")).longValue())
              .integer(2, ((Number) setting.get("pvChgVolSpec")).longValue())
              .integer(3, ((Number) setting.get("pvChgAmpLimit")).longValue())
              .toByteArray());
    }
    return list.toByteArray();
  }

  /** State of charge, voltage in mV, current in mA, and the cell voltages, unpacked, in mV. */
  private static byte[] batteryHeartbeat(Number soc) {
    ProtobufWriter heartbeat =
        new ProtobufWriter()
            .integer(1, 0)
            .integer(6, soc.longValue())
            .integer(7, 25_600)
            .integer(8, -1_250)
            .real(25, soc.floatValue());
    for (int millivolts = 3_301; millivolts <= 3_304; millivolts++) {
      heartbeat.integer(33, millivolts);
    }
    return heartbeat.toByteArray();
  }
}
