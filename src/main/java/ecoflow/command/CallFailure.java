package ecoflow.command;

/** A call or connection failed; the message is what users read, without a secret. */
public final class CallFailure extends Exception {

  private static final long serialVersionUID = 1L;

  private final String code;

  /**
   * @param code EcoFlow's own, such as 8513; empty if it gave none
   */
  public CallFailure(String code, String words) {
    super(words);
    this.code = code;
  }

  /** Whether EcoFlow refused the credentials: they can be wrong, or of another region. */
  boolean isAboutCredentials() {
    return code.equals("8513") || code.equals("2026");
  }
}
