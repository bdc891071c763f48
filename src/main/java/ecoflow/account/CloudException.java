package ecoflow.account;

/** EcoFlow answered, but not with what was asked for. */
public final class CloudException extends Exception {

  private static final long serialVersionUID = 1L;

  private final String code;

  public CloudException(String code, String message) {
    super(message);
    this.code = code;
  }

  /** EcoFlow's own code, such as 8521; empty when the answer had none. */
  public String code() {
    return code;
  }
}
