package ecoflow.quota;

/** The headers that a message has on its way to the endpoint {@code direct:quotas}. */
public final class QuotaHeaders {

  /** Serial number. */
  public static final String DEVICE = "EcoflowDevice";

  /** Where the values come from: rest, push or reply. */
  public static final String SOURCE = "EcoflowSource";

  /** True when the message holds all values of the device, not just changes. */
  public static final String FULL = "EcoflowFull";

  /** False when the message says that the device is off; absent when it says nothing. */
  public static final String ONLINE = "EcoflowOnline";

  /** How a payload is written: JSON, FRAME, BASE64 or UNKNOWN. */
  public static final String PAYLOAD = "EcoflowPayload";

  /** The id of a request for all values. */
  public static final String REQUEST_ID = "EcoflowRequestId";

  public static final String SOURCE_REST = "rest";

  private QuotaHeaders() {}
}
