package ecoflow.api;

import ecoflow.text.PlainException;

/** EcoFlow answered, but with an error code or with unexpected data. */
public final class CloudException extends PlainException {

  private static final long serialVersionUID = 1L;

  private final String code;
  private final String advice;

  public CloudException(String code, String message) {
    this(code, message, "");
  }

  /**
   * @param advice what the user can do about it; may be empty
   */
  CloudException(String code, String what, String advice) {
    super(what);
    this.code = code;
    this.advice = advice;
  }

  /** EcoFlow's own code, such as 8521; empty if the answer has no code. */
  public String code() {
    return code;
  }

  /**
   * Whether the app login failed because the account does not exist, and not because of the
   * password.
   */
  public boolean isAccountUnknown() {
    return Answers.isAccountUnknown(getMessage());
  }

  @Override
  public String words(String where) {
    return getMessage() + where + advice;
  }
}
