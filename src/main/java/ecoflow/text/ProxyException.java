package ecoflow.text;

/**
 * A connection that failed at the forward proxy. The message does not contain the proxy's
 * credentials.
 */
public final class ProxyException extends PlainException {

  private static final long serialVersionUID = 1L;

  /** The reason if the proxy closes the connection or sends an unreadable response. */
  public static final String NO_ANSWER =
      "it closed the connection, or does not respond like a proxy";

  private static final int LOGIN_REQUIRED = 407;

  /** Tinyproxy responds to a wrong password with this status instead of 407. */
  private static final int LOGIN_REJECTED = 401;

  private ProxyException(String message) {
    super(message);
  }

  /** The proxy cannot be reached, or does not respond like a proxy. */
  public static ProxyException unreachable(String proxy, String reason) {
    return new ProxyException("no connection through the proxy " + proxy + ": " + reason);
  }

  /**
   * The proxy responded to CONNECT with an error.
   *
   * @param hasLogin whether the exporter sent a user and a password
   * @param status HTTP status of the response
   */
  public static ProxyException refused(String proxy, boolean hasLogin, String target, int status) {
    String reason =
        status != LOGIN_REQUIRED && status != LOGIN_REJECTED
            ? "refused the connection to " + target
            : hasLogin ? "rejected the user or the password" : "requires a user and a password";
    return new ProxyException("the proxy " + proxy + " " + reason + " (HTTP " + status + ")");
  }
}
