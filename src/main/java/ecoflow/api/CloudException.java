package ecoflow.api;

import ecoflow.text.PlainException;
import java.util.Locale;
import java.util.Set;

/** A response of EcoFlow with an error code or with unexpected data. */
public final class CloudException extends PlainException {

  private static final long serialVersionUID = 1L;

  private static final String WRONG_PASSWORD = "2026";

  /** Wrong password, unknown access key, and wrong signature; see {@link Answers}. */
  private static final Set<String> REFUSALS = Set.of(WRONG_PASSWORD, "8513", "8521");

  /** The developer keys are not allowed to read the device. */
  private static final Set<String> FORBIDDEN = Set.of(Answers.DEVICE_NOT_ALLOWED, "8512");

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

  /** A refusal of the credentials for pages and commands: what EcoFlow refuses, and what to do. */
  public String refusal() {
    return refusal(advice);
  }

  /** Whether the message contains advice for the user. */
  public boolean hasAdvice() {
    return !advice.isEmpty();
  }

  String refusal(String otherAdvice) {
    String refused = code.equals(WRONG_PASSWORD) ? "the account" : "the access key";
    return "EcoFlow refuses " + refused + " (code " + code + ")" + otherAdvice;
  }

  /** Whether the response only reports that the device is offline. */
  public boolean isDeviceOffline() {
    return Answers.isDeviceOffline(code, getMessage());
  }

  /** Whether the developer keys are not allowed to read the device. */
  public boolean isDeviceForbidden() {
    return FORBIDDEN.contains(code) && !isDeviceOffline();
  }

  /** Whether EcoFlow asks for fewer calls. */
  public boolean isOverload() {
    return getMessage().toLowerCase(Locale.ROOT).contains("too busy");
  }

  /**
   * Whether the response to a call about a device concerns this device: it is neither a refusal of
   * the credentials, nor an overload, nor unreadable.
   */
  public boolean isAboutDevice() {
    return !code.isEmpty() && !isRefusal() && !isOverload();
  }

  @Override
  public String message(String where) {
    return getMessage() + where + advice;
  }
}
