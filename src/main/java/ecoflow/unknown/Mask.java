package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.charset.Charset;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Masks personal data in the bytes of a message: serial numbers, user IDs, names, mail and network
 * addresses, names and passwords of wireless networks, and coordinates, in ASCII, UTF-8, UTF-16 and
 * base64. No length changes, so that the message remains readable.
 */
final class Mask {

  /** Number of leading characters of a serial number that identify the model. */
  static final int MODEL_CHARS = 4;

  /** Minimum length of a part of a known serial number; shorter parts can occur in any text. */
  private static final int PART_CHARS = 5;

  private static final int MAX_NESTED = 2;

  /**
   * Serial numbers in EcoFlow's format, which batteries and devices of other brands also use, in
   * upper or lower case. A serial number extends to the end of the letters and digits.
   */
  private static final Pattern SERIAL =
      Pattern.compile(
          "(?<![A-Za-z0-9])(?:(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{12,}"
              + "|(?=[a-z0-9]*[0-9])(?=[a-z0-9]*[a-z])[a-z0-9]{12,})");

  private static final Pattern MASKED = Pattern.compile("[A-Za-z0-9]{" + MODEL_CHARS + "}X{8,}");

  /** IDs of users and of rows in EcoFlow's tables. */
  private static final Pattern LONG_NUMBER = Pattern.compile("[0-9]{12,}");

  private static final Pattern MAIL =
      Pattern.compile("[\\w.+-]{1,64}@[\\w-]{1,63}(\\.[\\w-]{1,63})+");

  private static final Pattern MAC =
      Pattern.compile("(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\\1){4}[0-9A-Fa-f]{2}");

  private static final String BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

  private static final Pattern IPV4 =
      Pattern.compile("(?<![0-9.])(?:" + BYTE + "\\.){3}" + BYTE + "(?![0-9.])");

  /** With at least three colons, because a time of day has two. */
  private static final Pattern IPV6 =
      Pattern.compile("(?<![0-9A-Za-z:])(?=(?:[0-9A-Fa-f]*:){3})[0-9A-Fa-f:]{6,39}");

  /** A key and a value, which is quoted (also in nested JSON) or a single word. */
  private static final Pattern NETWORK =
      Pattern.compile(
          "(?i)(?:ssid|passw|pwd|psk)\\w*(?:\\\\*\")?\\s*[:=]\\s*"
              + "(?:\\\\*\"(?<quoted>(?:[^\"\\\\]|\\\\[^\"])+)|(?<word>[^\"\\\\\\s,;&}]+))");

  private static final Pattern COORDINATE =
      Pattern.compile(
          "(?:(?<![A-Za-z])(?i:lat|lon|lng|latitude|longitude)|Lat|Lon|Lng|Latitude|Longitude)"
              + "(?:\\\\*\")?\\s*[:=]\\s*(?:\\\\*\")?(?<number>-?[0-9]+(?:\\.[0-9]+)?)");

  /** Two numbers that are more precise than a measurement. */
  private static final Pattern PAIR =
      Pattern.compile(
          "(?<![0-9.])-?[0-9]{1,3}\\.[0-9]{4,}\\s*[,; ]\\s*-?[0-9]{1,3}\\.[0-9]{4,}(?![0-9.])");

  private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/_-]{16,}");

  private static final String PRINTABLE = "[\\x20-\\x7e\\xa0-\\xff]";
  private static final Pattern LITTLE_ENDIAN = Pattern.compile("(?:" + PRINTABLE + "\\x00){4,}");
  private static final Pattern BIG_ENDIAN = Pattern.compile("(?:\\x00" + PRINTABLE + "){4,}");

  private final Collection<String> words;
  private final Collection<String> serials;

  /**
   * @param words texts to mask, such as names of devices
   * @param serials serial numbers to mask, also in parts
   */
  Mask(Collection<String> words, Collection<String> serials) {
    this.words = words.stream().filter(word -> !word.isBlank()).toList();
    this.serials = serials.stream().map(serial -> serial.toLowerCase(Locale.ROOT)).toList();
  }

  byte[] bytes(byte[] bytes) {
    return mask(new String(bytes, ISO_8859_1), 0).getBytes(ISO_8859_1);
  }

  static String serial(String serial) {
    int kept = Math.min(MODEL_CHARS, serial.length());
    return serial.substring(0, kept) + "X".repeat(serial.length() - kept);
  }

  /** Whether the whole text is a serial number, masked or not. */
  static boolean isSerial(String text) {
    return SERIAL.matcher(text).matches() || MASKED.matcher(text).matches();
  }

  /**
   * @param text a text with one character per byte
   */
  private String mask(String text, int nested) {
    String masked = maskSerialParts(maskWords(text));
    if (nested < MAX_NESTED) {
      masked = replaceAll(masked, BASE64, run -> maskBase64(run, nested));
      masked = replaceAll(masked, LITTLE_ENDIAN, run -> maskUtf16(run, 0, nested));
      masked = replaceAll(masked, BIG_ENDIAN, run -> maskUtf16(run, 1, nested));
    }
    masked = replaceAll(masked, MAIL, found -> "x".repeat(found.length()));
    masked = replaceAll(masked, NETWORK, "quoted", found -> "x".repeat(found.length()));
    masked = replaceAll(masked, NETWORK, "word", found -> "x".repeat(found.length()));
    masked = replaceAll(masked, COORDINATE, "number", Mask::zeros);
    masked = replaceAll(masked, PAIR, Mask::zeros);
    masked = replaceAll(masked, MAC, Mask::zeros);
    masked = replaceAll(masked, IPV4, Mask::zeros);
    masked = replaceAll(masked, IPV6, Mask::zeros);
    masked = replaceAll(masked, SERIAL, Mask::serial);
    return replaceAll(masked, LONG_NUMBER, Mask::zeros);
  }

  private static String zeros(String text) {
    return text.replaceAll("[0-9A-Za-z]", "0");
  }

  private String maskWords(String text) {
    String masked = text;
    for (String word : words) {
      for (Charset charset : List.of(UTF_8, UTF_16LE, UTF_16BE)) {
        String encodedWord = new String(word.getBytes(charset), ISO_8859_1);
        if (masked.contains(encodedWord)) {
          String replacement = charset == UTF_8 ? "x" : charset == UTF_16LE ? "x\0" : "\0x";
          masked =
              masked.replace(
                  encodedWord, replacement.repeat(encodedWord.length() / replacement.length()));
        }
      }
    }
    return masked;
  }

  /** Masks known serial numbers and parts of them, except for the characters of the model. */
  private String maskSerialParts(String text) {
    StringBuilder masked = null;
    String lower = text.toLowerCase(Locale.ROOT);
    for (String serial : serials) {
      for (int at = 0; at + PART_CHARS <= serial.length(); at++) {
        String part = serial.substring(at, at + PART_CHARS);
        for (int i = lower.indexOf(part); i >= 0; i = lower.indexOf(part, i + 1)) {
          masked = masked == null ? new StringBuilder(text) : masked;
          for (int k = Math.max(at, MODEL_CHARS); k < at + PART_CHARS; k++) {
            masked.setCharAt(i + k - at, 'X');
          }
        }
      }
    }
    return masked == null ? text : masked.toString();
  }

  /** Decodes from each of the first four characters, because base64 can start at any character. */
  private String maskBase64(String run, int nested) {
    boolean isUrl = run.indexOf('-') >= 0 || run.indexOf('_') >= 0;
    String plain = isUrl ? run.replace('-', '+').replace('_', '/') : run;
    boolean isChanged = false;
    for (int start = 0; start < 4; start++) {
      int length = plain.length() - start;
      int end = start + (length % 4 == 1 ? length - 1 : length);
      byte[] bytes = Base64.getDecoder().decode(plain.substring(start, end));
      String before = new String(bytes, ISO_8859_1);
      String after = mask(before, nested + 1);
      if (!after.equals(before)) {
        isChanged = true;
        String encoded =
            Base64.getEncoder().withoutPadding().encodeToString(after.getBytes(ISO_8859_1));
        plain = plain.substring(0, start) + encoded + plain.substring(end);
      }
    }
    if (!isChanged) {
      return run;
    }
    return isUrl ? plain.replace('+', '-').replace('/', '_') : plain;
  }

  /**
   * Masks UTF-16 text.
   *
   * @param first position of the first byte that is not zero
   */
  private String maskUtf16(String run, int first, int nested) {
    StringBuilder narrow = new StringBuilder();
    for (int i = first; i < run.length(); i += 2) {
      narrow.append(run.charAt(i));
    }
    String masked = mask(narrow.toString(), nested + 1);
    StringBuilder wide = new StringBuilder(run);
    for (int i = 0; i < masked.length(); i++) {
      wide.setCharAt(first + 2 * i, masked.charAt(i));
    }
    return wide.toString();
  }

  private interface Replacement {
    String of(String found);
  }

  private static String replaceAll(String text, Pattern pattern, Replacement change) {
    return pattern
        .matcher(text)
        .replaceAll(found -> Matcher.quoteReplacement(change.of(found.group())));
  }

  private static String replaceAll(String text, Pattern pattern, String group, Replacement change) {
    StringBuilder changed = null;
    Matcher matcher = pattern.matcher(text);
    while (matcher.find()) {
      if (matcher.group(group) != null) {
        changed = changed == null ? new StringBuilder(text) : changed;
        changed.replace(matcher.start(group), matcher.end(group), change.of(matcher.group(group)));
      }
    }
    return changed == null ? text : changed.toString();
  }
}
