package ecoflow.command;

/** A failed call or connection. Users see the message, so it must not contain secrets. */
public final class CallFailure extends Exception {

  private static final long serialVersionUID = 1L;

  private final String code;
  private final boolean isDeviceOffline;
  private final boolean isAboutDevice;

  /**
   * @param code EcoFlow's error code, such as 8513; empty if the failure has none
   */
  public CallFailure(String code, String message) {
    this(code, message, false, false);
  }

  /**
   * @param code EcoFlow's error code; empty if the failure has none
   * @param message with advice for the user
   * @param isDeviceOffline whether EcoFlow only reports that the device is offline
   * @param isAboutDevice whether calls for other devices can succeed
   */
  public CallFailure(String code, String message, boolean isDeviceOffline, boolean isAboutDevice) {
    super(message);
    this.code = code;
    this.isDeviceOffline = isDeviceOffline;
    this.isAboutDevice = isAboutDevice;
  }

  boolean isDeviceOffline() {
    return isDeviceOffline;
  }

  boolean isAboutDevice() {
    return isAboutDevice;
  }

  /** Whether EcoFlow rejected the credentials, which are wrong or belong to another region. */
  boolean isAboutCredentials() {
    return code.equals("8513") || code.equals("2026");
  }
}
