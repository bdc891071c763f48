package ecoflow.command;

/** A failed call or connection. Users see the message, so it must not contain secrets. */
public final class CallFailure extends Exception {

  private static final long serialVersionUID = 1L;

  private final String code;
  private final boolean isDeviceOffline;

  /**
   * @param code EcoFlow's error code, such as 8513; empty if the failure has none
   */
  public CallFailure(String code, String message) {
    this(code, message, false);
  }

  /**
   * @param code EcoFlow's error code; empty if the failure has none
   * @param message with advice for the user
   * @param isDeviceOffline whether EcoFlow only reports that the device is offline
   */
  public CallFailure(String code, String message, boolean isDeviceOffline) {
    super(message);
    this.code = code;
    this.isDeviceOffline = isDeviceOffline;
  }

  boolean isDeviceOffline() {
    return isDeviceOffline;
  }

  /** Whether EcoFlow rejected the credentials, which are wrong or belong to another region. */
  boolean isAboutCredentials() {
    return code.equals("8513") || code.equals("2026");
  }
}
