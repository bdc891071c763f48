package ecoflow.unknown;

import java.util.regex.Pattern;

/** Keys of JSON and names of protobuf fields whose values are personal data. */
final class PersonalKeys {

  private static final Pattern TEXT =
      Pattern.compile(
          "(?i)name$|nick|ssid|passw|pwd|psk|e_?mail|phone|mobile|token|secret|sn_?suffix"
              + "|iccid|imei|imsi|(?:user|owner|account|member|card|vehicle)_?(?:id|no)$"
              + "|(?:^|[._])(?:uid|tel|pin|owner|city|zip|street)$"
              + "|post_?(?:al_?)?code|zip_?code|house_?(?:no|number)$");

  /** Also IP and MAC addresses, which are integers or lists of bytes. */
  private static final Pattern NUMBER =
      Pattern.compile(
          "(?i:phone(?:_?no|_?number)?$|mobile$|iccid$|imei$|imsi$"
              + "|(?:password|passwd|pwd|psk|ssid|token|secret|post_?code|zip_?code)$"
              + "|(?:user|owner|account|member|card|vehicle)_?(?:ids?|no)$"
              + "|(?:^|[._])(?:uids?|user|pin|(?:ip|mac)(?:v[46])?(?:_?addr(?:ess)?)?)$)"
              + "|[a-z0-9](?:Ip|IP|Mac|MAC)(?:[vV][46])?(?:Addr(?:ess)?)?$");

  private static final Pattern SERIAL = Pattern.compile("(?:^|[._])sn[0-9]*$|[a-z0-9]Sn[0-9]*$");

  private static final Pattern COORDINATE =
      Pattern.compile(
          "(?i:latitude|longitude)|(?<![A-Za-z])long(?![A-Za-z])"
              + "|(?:(?<![A-Za-z])(?i:lat|lon|lng)|Lat|Lon|Lng)(?![a-z])");

  private static final Pattern LOCATION =
      Pattern.compile("(?i)gps|gnss|location|position|coord|(?:^|[._])geo$");

  /** The members of a push that identify the part of the device, which decoders need. */
  private static final Pattern IDENTIFIER =
      Pattern.compile("typeCode|moduleType|operateType|addr|from");

  private PersonalKeys() {}

  /** Whether a text with this key is personal, even if it has fewer than three letters. */
  static boolean isText(String key) {
    return TEXT.matcher(key).find();
  }

  /** Whether a text with this key is a serial number. */
  static boolean isSerial(String key) {
    return SERIAL.matcher(key).find();
  }

  static boolean isNumber(String key) {
    return NUMBER.matcher(key).find();
  }

  static boolean isCoordinate(String key) {
    return COORDINATE.matcher(key).find();
  }

  /** Whether precise numbers in the value of this key are coordinates. */
  static boolean isLocation(String key) {
    return LOCATION.matcher(key).find();
  }

  static boolean isIdentifier(String key) {
    return IDENTIFIER.matcher(key).matches();
  }
}
