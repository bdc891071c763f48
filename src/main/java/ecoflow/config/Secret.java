package ecoflow.config;

import java.util.Optional;
import java.util.Set;

/**
 * A credential and its source for error messages.
 *
 * @param source the variable with the masked value, or with the path of the file
 * @param inFile whether the value is the content of a file
 */
record Secret(String source, boolean inFile, String value) {

  private static final String NOT_VALID = " is not valid: ";

  /** The character "next line", which is white space in Unicode but not in Java. */
  private static final int NEXT_LINE = 0x85;

  /** Pairs of opening and closing quotes, including the typographic quotes of word processors. */
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

  /** Removes white space and invisible characters at both ends. */
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

  /**
   * Removes line ends and byte order marks at both ends, but no other white space, which can be
   * part of a password.
   */
  static String withoutLineEnds(String text) {
    return text.replaceFirst("^[\\r\\n\\x{FEFF}]+", "").replaceFirst("[\\r\\n\\x{FEFF}]+$", "");
  }

  /** White space, no-break spaces, zero-width characters, byte order and direction marks. */
  private static boolean isBlank(int character) {
    return Character.isWhitespace(character)
        || Character.isSpaceChar(character)
        || Character.getType(character) == Character.FORMAT
        || character == NEXT_LINE;
  }

  /** Whether the text is enclosed in matching quotes. */
  static boolean isQuoted(String text) {
    return text.length() > 1
        && QUOTES.contains("" + text.charAt(0) + text.charAt(text.length() - 1));
  }

  private static boolean isQuote(char character) {
    return character == '"' || character == '\'';
  }

  /**
   * Validates the value as an access key or a secret key.
   *
   * @throws ConfigException if it starts or ends with a quote, or contains a character other than
   *     printable ASCII
   */
  String key() throws ConfigException {
    rejectQuotes();
    if (isQuote(value.charAt(0))) {
      throw new ConfigException(source + NOT_VALID + "it starts with a quote");
    }
    for (int at = 0; at < value.length(); at++) {
      if (value.charAt(at) < ' ' || value.charAt(at) > '~') {
        throw new ConfigException(
            source
                + NOT_VALID
                + describe(at)
                + "; a key must consist of printable ASCII characters");
      }
    }
    return value;
  }

  /**
   * Validates the value as the user of an app account.
   *
   * @throws ConfigException if it is enclosed in quotes, or contains white space or an invisible
   *     character
   */
  String user() throws ConfigException {
    rejectQuotes();
    for (int at = 0; at < value.length(); at++) {
      int character = value.codePointAt(at);
      if (isBlank(character) || Character.isISOControl(character)) {
        throw new ConfigException(
            source
                + NOT_VALID
                + describe(at)
                + "; a user must not contain white space or invisible characters");
      }
    }
    return value;
  }

  private void rejectQuotes() throws ConfigException {
    if (isQuoted(value)) {
      throw new ConfigException(quoted() + ": remove them");
    }
    if (isQuote(value.charAt(value.length() - 1))) {
      throw new ConfigException(source + NOT_VALID + "it ends with a quote");
    }
  }

  private String quoted() {
    return source + (inFile ? ": the content of the file" : "") + Environment.HAS_QUOTES;
  }

  /** A log line if the password is unusual, for example enclosed in quotes. */
  Optional<String> remark() {
    if (isQuoted(value)) {
      return Optional.of(
          quoted()
              + ", which are sent as part of the password: remove them if they do not belong to"
              + " it");
    }
    if (!trimmed(value).equals(value)) {
      return Optional.of(
          source
              + " starts or ends with white space or an invisible character, which is sent as"
              + " part of the password");
    }
    return value.chars().anyMatch(Character::isISOControl)
        ? Optional.of(
            source
                + " contains a line break or another control character, which is sent as part of"
                + " the password")
        : Optional.empty();
  }

  /** The position of a character, counted from 1, and its code point. */
  private String describe(int at) {
    return String.format(
        "character %d is U+%04X", value.codePointCount(0, at) + 1, value.codePointAt(at));
  }
}
