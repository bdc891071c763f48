package ecoflow.unknown;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Replacements of serial numbers, with the same length: the model, X, and a number. Equal serial
 * numbers have the same number, so that a recording distinguishes the devices and batteries of a
 * model.
 */
final class Pseudonyms {

  /** Number of leading characters of a serial number that identify the model. */
  static final int MODEL_CHARS = 4;

  private static final int DIGITS = 4;
  private static final int MAX_NUMBER = 9_999;

  /** Limits the memory; the exporter does not serve devices with longer serial numbers. */
  private static final int MAX_NUMBERED = 64;

  private static final Pattern MASKED =
      Pattern.compile("[A-Za-z0-9]{" + MODEL_CHARS + "}X{4,}[0-9]{" + DIGITS + "}");

  private final Map<String, Integer> numbers = new HashMap<>();
  private int last;

  /**
   * @param last the last number that is in use already
   */
  Pseudonyms(int last) {
    this.last = last;
  }

  /** Returns a replaced serial number unchanged. */
  synchronized String of(String serial) {
    if (isMasked(serial)) {
      return serial;
    }
    return with(number(serial), serial);
  }

  /** The replacement of a text that is probably not a serial number. */
  static String withoutNumber(String text) {
    return with(0, text);
  }

  private static String with(int number, String serial) {
    int kept = Math.min(MODEL_CHARS, serial.length());
    int digits = Math.min(DIGITS, serial.length() - kept);
    String text = String.format(Locale.ROOT, "%0" + DIGITS + "d", number);
    return serial.substring(0, kept)
        + "X".repeat(serial.length() - kept - digits)
        + text.substring(DIGITS - digits);
  }

  /** 0 for texts that are too long, and after the last number. */
  private int number(String serial) {
    String key = serial.toUpperCase(Locale.ROOT);
    Integer known = numbers.get(key);
    if (known != null) {
      return known;
    }
    if (serial.length() > MAX_NUMBERED || last >= MAX_NUMBER) {
      return 0;
    }
    last++;
    numbers.put(key, last);
    return last;
  }

  static boolean isMasked(String text) {
    return MASKED.matcher(text).matches();
  }
}
