package ecoflow.api;

import ecoflow.text.PlainException;
import java.util.Set;

/** A response of EcoFlow with an error code or with unexpected data. */
public final class CloudException extends PlainException {

  private static final long serialVersionUID = 1L;

  /** Wrong password, unknown access key, and wrong signature; see {@link Answers}. */
  private static final Set<String> REFUSALS = Set.of("2026", "8513", "8521");

  private final String code;
  private final String advice;

  public CloudException(String code, String message) {
    this(code, message, "");
  }

  /**
   * @param advice a text after the message, which helps the user to fix the error; can be empty
   */
  CloudException(String code, String message, String advice) {
    super(message);
    this.code = code;
    this.advice = advice;
  }

  /** EcoFlow's code, such as 8521; empty if the response has none. */
  public String code() {
    return code;
  }

  /**
   * Whether the app login failed because the account does not exist, rather than because of the
   * password.
   */
  public boolean isAccountUnknown() {
    return Answers.isAccountUnknown(getMessage());
  }

  /** Whether EcoFlow refused the user and password, or the keys. */
  public boolean isRefusal() {
    return REFUSALS.contains(code);
  }

  @Override
  public String message(String where) {
    return getMessage() + where + advice;
  }
}
