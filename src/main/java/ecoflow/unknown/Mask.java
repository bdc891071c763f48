package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Collection;
import java.util.regex.Pattern;

/**
 * Takes what belongs to a person out of the bytes of a message: serial numbers, user ids, names.
 * All lengths stay, so that the message can still be read.
 */
final class Mask {

  /** Characters of a serial number that tell the model. */
  static final int MODEL = 4;

  /** As EcoFlow writes serial numbers, of batteries and of other makers' devices too. */
  private static final Pattern SERIAL =
      Pattern.compile("(?<![A-Za-z0-9])(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{12,24}");

  /** Numbers of users and of rows in EcoFlow's tables. */
  private static final Pattern LONG_NUMBER = Pattern.compile("[0-9]{12,}");

  private static final Pattern MAIL =
      Pattern.compile("[\\w.+-]{1,64}@[\\w-]{1,63}(\\.[\\w-]{1,63})+");

  private Mask() {}

  /**
   * @param words texts that are known, such as names of devices
   */
  static byte[] bytes(byte[] bytes, Collection<String> words) {
    // One character for each byte.
    String text = new String(bytes, ISO_8859_1);
    for (String word : words) {
      if (!word.isBlank()) {
        String same = new String(word.getBytes(UTF_8), ISO_8859_1);
        text = text.replace(same, "x".repeat(same.length()));
      }
    }
    text = MAIL.matcher(text).replaceAll(found -> "x".repeat(found.group().length()));
    text = SERIAL.matcher(text).replaceAll(found -> serial(found.group()));
    text = LONG_NUMBER.matcher(text).replaceAll(found -> "0".repeat(found.group().length()));
    return text.getBytes(ISO_8859_1);
  }

  static String serial(String serial) {
    int kept = Math.min(MODEL, serial.length());
    return serial.substring(0, kept) + "X".repeat(serial.length() - kept);
  }
}
