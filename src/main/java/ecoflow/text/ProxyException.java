package ecoflow.text;

/**
 * A connection that failed at the forward proxy. The message does not contain the proxy's
 * credentials.
 */
public final class ProxyException extends PlainException {

  private static final long serialVersionUID = 1L;

  /** The reason when the proxy closes the connection, or sends an unreadable answer. */
  public static final String NO_ANSWER = "it closed the connection, or does not answer as a proxy";

  private static final int LOGIN_REQUIRED = 407;

  /** The answer of Tinyproxy to a wrong password, in place of 407. */
  private static final int LOGIN_REJECTED = 401;

  private ProxyException(String message) {
    super(message);
  }

  /** The proxy cannot be reached, or does not answer like a proxy. */
  public static ProxyException unreachable(String proxy, String reason) {
    return new ProxyException("no connection through the proxy " + proxy + ": " + reason);
  }

  /**
   * The proxy answered CONNECT with an error.
   *
   * @param hasLogin whether the proxy was given a user and a password
   * @param status HTTP status of the answer
   */
  public static ProxyException refused(String proxy, boolean hasLogin, String target, int status) {
    String reason =
        status != LOGIN_REQUIRED && status != LOGIN_REJECTED
            ? "refused the connection to " + target
            : hasLogin ? "rejected the user or the password" : "requires a user and a password";
    return new ProxyException("the proxy " + proxy + " " + reason + " (HTTP " + status + ")");
  }
}
