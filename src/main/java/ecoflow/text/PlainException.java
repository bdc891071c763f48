package ecoflow.text;

/** A failure whose message is written for users. */
public class PlainException extends Exception {

  private static final long serialVersionUID = 1L;

  public PlainException(String message) {
    super(message);
  }

  /**
   * The complete sentence.
   *
   * @param where " on" and the path of the HTTPS call that failed; empty for other failures
   */
  public String words(String where) {
    return getMessage() + where;
  }
}
