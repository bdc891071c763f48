package ecoflow.config;

import java.util.Optional;
import java.util.Set;

/**
 * A credential, and what an error calls it: the variable with the value masked, or with the file
 * that it was read from.
 */
record Secret(String source, String value) {

  private static final String NOT_VALID = " is not valid: ";

  /** The next line character, which is white space in Unicode but not in Java. */
  private static final int NEXT_LINE = 0x85;

  /** Opening and closing quotes, also those that word processors put in place of " and '. */
  private static final Set<String> QUOTES =
      Set.of(
          "\"\"",
          "''",
          "\u201C\u201D",
          "\u201D\u201D",
          "\u201E\u201C",
          "\u201E\u201D",
          "\u2018\u2019",
          "\u2019\u2019",
          "\u201A\u2018",
          "\u00AB\u00BB",
          "\u00BB\u00AB");

  /** Without white space and invisible characters at both ends. */
  static String trimmed(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isBlank(text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (start < end && isBlank(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  /** Without line ends and byte order marks at both ends: white space can be part of a password. */
  static String withoutLineEnds(String text) {
    return text.replaceFirst("^[\\r\\n\\x{FEFF}]+", "").replaceFirst("[\\r\\n\\x{FEFF}]+$", "");
  }

  /** White space, no-break spaces, zero width characters, marks of byte order and direction. */
  private static boolean isBlank(int character) {
    return Character.isWhitespace(character)
        || Character.isSpaceChar(character)
        || Character.getType(character) == Character.FORMAT
        || character == NEXT_LINE;
  }

  /** Whether an opening quote is at the start and its closing quote at the end. */
  static boolean isQuoted(String text) {
    return text.length() > 1
        && QUOTES.contains("" + text.charAt(0) + text.charAt(text.length() - 1));
  }

  private static boolean isQuote(char character) {
    return character == '"' || character == '\'';
  }

  /**
   * The value as an access key or a secret key.
   *
   * @throws ConfigException if it has a quote at an end, or a character that is not printable ASCII
   */
  String key() throws ConfigException {
    refuseQuotes();
    if (isQuote(value.charAt(0))) {
      throw new ConfigException(source + NOT_VALID + "it starts with a quote");
    }
    for (int at = 0; at < value.length(); at++) {
      if (value.charAt(at) < ' ' || value.charAt(at) > '~') {
        throw new ConfigException(
            source + NOT_VALID + named(at) + "; a key has printable ASCII characters only");
      }
    }
    return value;
  }

  /**
   * The value as the user of an account.
   *
   * @throws ConfigException if it has quotes around it, or white space or an invisible character
   *     inside
   */
  String user() throws ConfigException {
    refuseQuotes();
    for (int at = 0; at < value.length(); at++) {
      int character = value.codePointAt(at);
      if (isBlank(character) || Character.isISOControl(character)) {
        throw new ConfigException(
            source
                + NOT_VALID
                + named(at)
                + "; a user has no white space and no invisible characters");
      }
    }
    return value;
  }

  /** No key and no user ends with one. */
  private void refuseQuotes() throws ConfigException {
    if (isQuoted(value)) {
      throw new ConfigException(source + NOT_VALID + "it has quotes around it; remove them");
    }
    if (isQuote(value.charAt(value.length() - 1))) {
      throw new ConfigException(source + NOT_VALID + "it ends with a quote");
    }
  }

  /** What is unusual about a password, but can be meant. */
  Optional<String> remark() {
    if (isQuoted(value)) {
      return Optional.of(
          source
              + " has quotes around it, which are sent as part of it: remove them if they are"
              + " not part of the password");
    }
    if (!trimmed(value).equals(value)) {
      return Optional.of(
          source
              + " starts or ends with white space or an invisible character, which is sent as"
              + " part of it");
    }
    return value.chars().anyMatch(Character::isISOControl)
        ? Optional.of(
            source
                + " contains a line end or another control character, which is sent as part of it")
        : Optional.empty();
  }

  /** The position of a character, counted from 1, and its code point. */
  private String named(int at) {
    return String.format(
        "character %d is U+%04X", value.codePointCount(0, at) + 1, value.codePointAt(at));
  }
}
