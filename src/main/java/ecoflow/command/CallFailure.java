package ecoflow.command;

/** A failed call or connection. Users see the message, so it must not contain secrets. */
public final class CallFailure extends Exception {

  private static final long serialVersionUID = 1L;

  private final String code;

  /**
   * @param code EcoFlow's error code, such as 8513; empty if the failure has none
   */
  public CallFailure(String code, String message) {
    super(message);
    this.code = code;
  }

  /** Whether EcoFlow rejected the credentials, which are wrong or belong to another region. */
  boolean isAboutCredentials() {
    return code.equals("8513") || code.equals("2026");
  }
}
