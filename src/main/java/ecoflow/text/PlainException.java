package ecoflow.text;

/** A failure with a message for users. */
public class PlainException extends Exception {

  private static final long serialVersionUID = 1L;

  public PlainException(String message) {
    super(message);
  }

  /**
   * The complete message.
   *
   * @param where " on" and the path of the HTTPS call that failed; empty for other failures
   */
  public String message(String where) {
    return getMessage() + where;
  }
}
