package ecoflow.account;

/** EcoFlow answered, but not with what was asked for. */
public final class CloudException extends Exception {

  private static final long serialVersionUID = 1L;

  private final String code;
  private final String what;
  private final String advice;

  public CloudException(String code, String message) {
    this(code, message, "");
  }

  /**
   * @param advice what the user can do about it, may be empty
   */
  CloudException(String code, String what, String advice) {
    super(what + advice);
    this.code = code;
    this.what = what;
    this.advice = advice;
  }

  /** EcoFlow's own code, such as 8521; empty when the answer had none. */
  public String code() {
    return code;
  }

  /** The message without the advice. */
  String what() {
    return what;
  }

  String advice() {
    return advice;
  }
}
