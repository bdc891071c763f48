package ecoflow.cloud;

/** The paths of EcoFlow's HTTPS API that the exporter calls. */
public final class ApiPath {

  // With an app account.
  public static final String LOGIN = "/auth/login";
  public static final String CERTIFICATION = "/iot-auth/app/certification";
  public static final String ACCOUNT_DEVICES = "/iot-service/user/device";

  // With developer keys.
  public static final String DEVICE_LIST = "/iot-open/sign/device/list";
  public static final String QUOTA = "/iot-open/sign/device/quota/all";

  /** EcoFlow's energy history. */
  public static final String HISTORY = "/iot-open/sign/device/quota/data";

  public static final String OPEN_CERTIFICATION = "/iot-open/sign/certification";

  private ApiPath() {}
}
