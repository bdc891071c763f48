package ecoflow.text;

/** A failure whose message is already what users read. */
public class PlainException extends Exception {

  private static final long serialVersionUID = 1L;

  public PlainException(String message) {
    super(message);
  }

  /**
   * The whole sentence.
   *
   * @param where " on" and the path of the HTTPS call that failed; empty if it is about none
   */
  public String words(String where) {
    return getMessage() + where;
  }
}
