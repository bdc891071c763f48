package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.charset.Charset;
import java.util.Base64;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Masks personal data in the bytes of a message: serial numbers, user IDs, names, mail and network
 * addresses, names and passwords of wireless networks, and coordinates, in ASCII, UTF-8, UTF-16,
 * base64 and hexadecimal. No length changes, so that the message remains readable.
 */
final class Mask {

  /** Minimum length of a part of a known serial number; shorter parts can occur in any text. */
  private static final int PART_CHARS = 5;

  /** EcoFlow's serial numbers have 16 characters. */
  private static final int MAX_SERIAL = 20;

  private static final Pattern ID = Pattern.compile("(?=.*[A-Za-z])[A-Za-z0-9_-]{8,64}");

  private static final int MAX_NESTED = 2;

  // Possessive quantifiers (++) of groups do not need stack space for each repetition.

  /**
   * Serial numbers in EcoFlow's format, which batteries and devices of other brands also use, in
   * upper or lower case. A serial number extends to the end of the letters and digits.
   */
  private static final Pattern SERIAL =
      Pattern.compile(
          "(?<![A-Za-z0-9])(?:(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{12,}"
              + "|(?=[a-z0-9]*[0-9])(?=[a-z0-9]*[a-z])[a-z0-9]{12,})");

  /** The serial numbers in keys of JSON. Other keys of this length contain lower-case letters. */
  private static final Pattern SERIAL_IN_KEY =
      Pattern.compile(
          "(?<![A-Za-z0-9])(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{14,20}(?![A-Za-z0-9])");

  /** Keys of this length in lower case can have a number at the end. */
  private static final Pattern LOWER_SERIAL_IN_KEY =
      Pattern.compile(
          "(?<![A-Za-z0-9])(?=(?:[a-z]*[0-9]){4})(?=[a-z0-9]*[a-z])[a-z0-9]{14,20}(?![A-Za-z0-9])");

  private static final int MIN_SERIAL_IN_KEY = 12;

  private static final Pattern ALPHANUMERIC = Pattern.compile("[A-Za-z0-9]+|[\\x80-\\xff]");

  /** IDs of users and of rows in EcoFlow's tables. */
  private static final Pattern LONG_NUMBER = Pattern.compile("[0-9]{12,}");

  private static final Pattern MAIL =
      Pattern.compile("[\\w.+-]{1,64}(?:@|%40)[\\w-]{1,63}(?:\\.[\\w-]{1,63})++");

  private static final Pattern PHONE =
      Pattern.compile("(?<![0-9A-Za-z])\\+[0-9](?:[ ()/-]{0,2}[0-9]){6,14}");

  private static final Pattern MAC =
      Pattern.compile("(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\\1){4}[0-9A-Fa-f]{2}");

  /** Without separators, or in groups of four digits. */
  private static final Pattern PLAIN_MAC =
      Pattern.compile(
          "(?<![A-Za-z0-9.])(?:[0-9A-Fa-f]{12}|(?:[0-9A-Fa-f]{4}\\.){2}[0-9A-Fa-f]{4})"
              + "(?![A-Za-z0-9.])");

  private static final String BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

  private static final Pattern IPV4 =
      Pattern.compile("(?<![0-9.])(?:" + BYTE + "\\.){3}" + BYTE + "(?![0-9.])");

  /** With at least three colons, because a time of day has two, or with two consecutive ones. */
  private static final Pattern IPV6 =
      Pattern.compile(
          "(?<![0-9A-Za-z:])(?=(?:[0-9A-Fa-f]*:){3}|[0-9A-Fa-f:]*::)[0-9A-Fa-f:]{3,39}");

  /** A key and a value, which is quoted (also in nested JSON) or a single word. */
  private static final Pattern NETWORK =
      Pattern.compile(
          "(?i)(?:ssid|passw|pwd|psk)\\w*(?:\\\\*\")?\\s*[:=]\\s*"
              + "(?:\\\\*\"(?<quoted>(?:[^\"\\\\]|\\\\[^\"])++)|(?<word>[^\"\\\\\\s,;&}]+))");

  private static final Pattern COORDINATE =
      Pattern.compile(
          "(?:(?<![A-Za-z])(?i:lat|lon|lng|latitude|longitude)|Lat|Lon|Lng|Latitude|Longitude)"
              + "(?:\\\\*\")?\\s*[:=]\\s*(?:\\\\*\")?(?<number>-?[0-9]+(?:\\.[0-9]+)?)");

  /** Two numbers that are more precise than a measurement. */
  private static final Pattern PAIR =
      Pattern.compile(
          "(?<![0-9.])-?[0-9]{1,3}\\.[0-9]{4,}\\s*[,; ]\\s*-?[0-9]{1,3}\\.[0-9]{4,}(?![0-9.])");

  private static final Pattern NUMBER_IN_KEY =
      Pattern.compile(
          "(?<![A-Za-z0-9])(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{12}(?![A-Za-z0-9])|"
              + LONG_NUMBER.pattern());

  private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/_-]{16,}");

  private static final Pattern HEXADECIMAL =
      Pattern.compile("[0-9A-Fa-f]{2}(?:[ :,-]?[0-9A-Fa-f]{2}){7,}+[0-9A-Fa-f]?");

  private static final Pattern ASCII_RUN = Pattern.compile("[\\x20-\\x7e]{4,}");
  private static final Pattern LATIN_TEXT = Pattern.compile("[\\x20-\\x7e\\xa0-\\xff]++");
  private static final Pattern LETTER = Pattern.compile("\\p{L}");

  /** Letters of alphabets whose names can have one or two characters, such as Chinese. */
  private static final Pattern IDEOGRAPH =
      Pattern.compile("[\\p{IsHan}\\p{IsHangul}\\p{IsHiragana}\\p{IsKatakana}]");

  private static final Pattern HEXADECIMAL_TEXT =
      Pattern.compile("(?:0[xX])?((?:[0-9A-Fa-f]{2}[ :,-]?){4,}+)");

  private static final int MIN_NAME_LETTERS = 3;

  private static final String PRINTABLE = "[\\x20-\\x7e\\xa0-\\xff]";
  private static final Pattern LITTLE_ENDIAN = Pattern.compile("(?:" + PRINTABLE + "\\x00){4,}+");
  private static final Pattern BIG_ENDIAN = Pattern.compile("(?:\\x00" + PRINTABLE + "){4,}+");

  private final Collection<String> words;
  private final Collection<String> serials;
  private final Pseudonyms pseudonyms;

  /**
   * @param words texts to mask, such as names of devices
   * @param serials serial numbers to mask, also in parts
   */
  Mask(Collection<String> words, Collection<String> serials, Pseudonyms pseudonyms) {
    this.words = words.stream().filter(word -> !word.isBlank()).toList();
    this.serials = serials;
    this.pseudonyms = pseudonyms;
  }

  /** Masks what the patterns match. */
  byte[] patterns(byte[] bytes) {
    return latin(masked(latin(bytes), 0));
  }

  /**
   * Masks bytes of an unknown structure: also the letters and digits of ASCII texts in them, which
   * can be names.
   */
  byte[] binary(byte[] bytes) {
    String text = latin(bytes);
    String masked = masked(text, 0);
    if (LATIN_TEXT.matcher(text).matches() && hasName(text)) {
      return latin(withoutContent(masked));
    }
    return latin(replaceAll(masked, ASCII_RUN, run -> hasName(run) ? withoutContent(run) : run));
  }

  /**
   * Masks a text in UTF-8: what the patterns match and, because any text can be a name, all letters
   * and digits of a text with at least three letters. Serial numbers keep their replacement.
   */
  byte[] text(byte[] text) {
    String masked = masked(latin(text), 0);
    String original = new String(text, UTF_8);
    boolean isName = hasName(original) || isHexadecimalName(original);
    return latin(isName ? withoutContent(masked) : masked);
  }

  /**
   * Masks the text of a key, or of a field with this name.
   *
   * @param key empty for an unknown key
   */
  byte[] textOf(String key, byte[] text) {
    if (PersonalKeys.isText(key)) {
      return personal(text);
    }
    boolean isSerial = PersonalKeys.isSerial(key) && ID.matcher(latin(text)).matches();
    // Different serial numbers, also of other brands, must remain different: they are indexes.
    return isSerial ? latin(pseudonyms.of(latin(text))) : text(text);
  }

  /** Longer texts, such as hashes, do not use up the numbers of serial numbers. */
  private String serial(String found) {
    return found.length() <= MAX_SERIAL ? pseudonyms.of(found) : Pseudonyms.withoutNumber(found);
  }

  /** Masks all letters and digits of a text that is personal. */
  byte[] personal(byte[] text) {
    return latin(withoutContent(masked(latin(text), 0)));
  }

  /**
   * Numbers the serial numbers of a text in their order, because the rank of a battery is that of
   * its serial number.
   */
  void numberSerials(String text) {
    SERIAL_IN_KEY.matcher(text).results().map(MatchResult::group).sorted().forEach(pseudonyms::of);
  }

  /** Masks serial numbers, names of devices, long numbers and addresses in a key of JSON. */
  String key(String key) {
    String masked = maskSerials(maskWords(latin(key.getBytes(UTF_8))), false);
    masked = replaceAll(masked, SERIAL_IN_KEY, pseudonyms::of);
    masked = replaceAll(masked, LOWER_SERIAL_IN_KEY, pseudonyms::of);
    masked = replaceAll(masked, MAIL, found -> "x".repeat(found.length()));
    masked = replaceAll(masked, MAC, Mask::zeros);
    masked = replaceAll(masked, IPV4, Mask::zeros);
    masked = replaceAll(masked, IPV6, Mask::zeros);
    // Different keys must remain different, because equal keys would lose a value.
    masked = replaceAll(masked, NUMBER_IN_KEY, this::numbered);
    return new String(latin(masked), UTF_8);
  }

  private String numbered(String found) {
    return pseudonyms
        .of(found)
        .replaceAll("^.{4}X*", "")
        .transform(number -> "0".repeat(found.length() - number.length()) + number);
  }

  /** Replaces letters and digits of a text by zeros. */
  static String zeros(String text) {
    return text.replaceAll("[0-9A-Za-z]", "0");
  }

  private static String latin(byte[] bytes) {
    return new String(bytes, ISO_8859_1);
  }

  private static byte[] latin(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private static boolean hasName(String text) {
    return IDEOGRAPH.matcher(text).find()
        || LETTER.matcher(text).results().limit(MIN_NAME_LETTERS).count() == MIN_NAME_LETTERS;
  }

  /** Whether a text is a name in hexadecimal, which can have fewer than three letters. */
  private static boolean isHexadecimalName(String text) {
    Matcher matcher = HEXADECIMAL_TEXT.matcher(text);
    if (!matcher.matches()) {
      return false;
    }
    String digits = matcher.group(1).replaceAll("[^0-9A-Fa-f]", "");
    String name = new String(HexFormat.of().parseHex(digits), UTF_8);
    return name.chars().noneMatch(Character::isISOControl) && hasName(name);
  }

  private static String withoutContent(String text) {
    return replaceAll(
        text,
        ALPHANUMERIC,
        run ->
            Pseudonyms.isMasked(run)
                ? run
                : run.replaceAll("[0-9]", "0").replaceAll("[^0-9]", "x"));
  }

  /**
   * @param text a text with one character per byte
   */
  private String masked(String text, int nested) {
    String masked = maskSerials(maskWords(text), true);
    if (nested < MAX_NESTED) {
      masked = replaceAll(masked, BASE64, run -> maskBase64(run, nested));
      masked = replaceAll(masked, HEXADECIMAL, run -> maskHexadecimal(run, nested));
      masked = replaceAll(masked, LITTLE_ENDIAN, run -> maskUtf16(run, 0, nested));
      masked = replaceAll(masked, BIG_ENDIAN, run -> maskUtf16(run, 1, nested));
    }
    masked = replaceAll(masked, MAIL, found -> "x".repeat(found.length()));
    masked = replaceAll(masked, NETWORK, "quoted", found -> "x".repeat(found.length()));
    masked = replaceAll(masked, NETWORK, "word", found -> "x".repeat(found.length()));
    masked = replaceAll(masked, COORDINATE, "number", Mask::zeros);
    masked = replaceAll(masked, PAIR, Mask::zeros);
    masked = replaceAll(masked, PHONE, Mask::zeros);
    masked = replaceAll(masked, MAC, Mask::zeros);
    masked = replaceAll(masked, PLAIN_MAC, Mask::zeros);
    masked = replaceAll(masked, IPV4, Mask::zeros);
    masked = replaceAll(masked, IPV6, Mask::zeros);
    masked = replaceAll(masked, SERIAL, this::serial);
    return replaceAll(masked, LONG_NUMBER, Mask::zeros);
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

  /** Masks known serial numbers, and parts of them except for the characters of the model. */
  private String maskSerials(String text, boolean withParts) {
    StringBuilder masked = new StringBuilder(text);
    StringBuilder remaining = new StringBuilder(text.toLowerCase(Locale.ROOT));
    for (String serial : serials) {
      // Keys can contain short serial numbers of devices of other brands.
      if (withParts || serial.length() >= MIN_SERIAL_IN_KEY) {
        maskPart(masked, remaining, serial, 0, serial.length());
      }
    }
    for (String serial : withParts ? serials : List.<String>of()) {
      for (int start = 0; start + PART_CHARS <= serial.length(); start++) {
        maskPart(masked, remaining, serial, start, start + PART_CHARS);
      }
    }
    return masked.toString();
  }

  /**
   * @param remaining the text in lower case, in which whole serial numbers are removed
   */
  private void maskPart(
      StringBuilder masked, StringBuilder remaining, String serial, int start, int end) {
    String part = serial.substring(start, end).toLowerCase(Locale.ROOT);
    for (int i = remaining.indexOf(part); i >= 0; i = remaining.indexOf(part, i + 1)) {
      String replacement = pseudonyms.of(serial);
      for (int k = Math.max(start, Pseudonyms.MODEL_CHARS); k < end; k++) {
        masked.setCharAt(i + k - start, replacement.charAt(k));
      }
      if (end - start == serial.length()) {
        remaining.replace(i, i + part.length(), "\0".repeat(part.length()));
      }
    }
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
      String after = masked(before, nested + 1);
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

  /** Decodes from each of the first two digits. Separators are kept. */
  private String maskHexadecimal(String run, int nested) {
    String digits = run.replaceAll("[^0-9A-Fa-f]", "");
    boolean isUpper = !digits.equals(digits.toLowerCase(Locale.ROOT));
    HexFormat hex = isUpper ? HexFormat.of().withUpperCase() : HexFormat.of();
    boolean isChanged = false;
    for (int start = 0; start < 2; start++) {
      int end = digits.length() - (digits.length() - start) % 2;
      String before = latin(HexFormat.of().parseHex(digits.substring(start, end)));
      String after = masked(before, nested + 1);
      if (!after.equals(before)) {
        isChanged = true;
        digits = digits.substring(0, start) + hex.formatHex(latin(after)) + digits.substring(end);
      }
    }
    if (!isChanged) {
      return run;
    }
    StringBuilder masked = new StringBuilder(run);
    int next = 0;
    for (int i = 0; i < run.length(); i++) {
      if (Character.digit(run.charAt(i), 16) >= 0) {
        masked.setCharAt(i, digits.charAt(next++));
      }
    }
    return masked.toString();
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
    String masked = masked(narrow.toString(), nested + 1);
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
