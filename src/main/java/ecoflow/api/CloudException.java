package ecoflow.api;

import ecoflow.text.PlainException;

/** EcoFlow answered, but not with what was asked for. */
public final class CloudException extends PlainException {

  private static final long serialVersionUID = 1L;

  private final String code;
  private final String advice;

  public CloudException(String code, String message) {
    this(code, message, "");
  }

  /**
   * @param advice what the user can do about it, may be empty
   */
  CloudException(String code, String what, String advice) {
    super(what);
    this.code = code;
    this.advice = advice;
  }

  /** EcoFlow's own code, such as 8521; empty when the answer had none. */
  public String code() {
    return code;
  }

  /** Whether the app login says that the account does not exist, and nothing of a password. */
  public boolean isAccountUnknown() {
    return Answers.isAccountUnknown(getMessage());
  }

  @Override
  public String words(String where) {
    return getMessage() + where + advice;
  }
}
