package ecoflow.text;

/** An error in a YAML file. The message contains no value, which could be a secret. */
public final class YamlException extends Exception {

  private static final long serialVersionUID = 1L;

  private final int line;

  /**
   * @param line counted from 1; 0 if it is unknown
   */
  public YamlException(int line, String message) {
    super(message);
    this.line = line;
  }

  /** The line of the error, counted from 1; 0 if it is unknown. */
  public int line() {
    return line;
  }
}
