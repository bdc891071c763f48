package ecoflow.config;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The value of a variable such as HTTPS_PROXY.
 *
 * @param host without the brackets of an IPv6 address
 */
record ProxyUrl(String host, int port, Optional<Settings.Credentials> login) {

  private static final String ALLOWED =
      "http://host:port or http://user:password@host:port, with special characters of both"
          + " percent-encoded";

  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://");
  private static final String HOST =
      "(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)";
  private static final Pattern ADDRESS = Pattern.compile(HOST + ":([0-9]{1,5})/?");
  private static final Pattern NO_SECRET = Pattern.compile(HOST + "(:[0-9]{0,5})?(/.*)?");
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");
  private static final int MAX_PORT = 65535;

  /** The parts of the value; the login is still encoded. */
  private record Parts(String scheme, Optional<String> login, String address) {

    static Parts of(String value) {
      Matcher scheme = SCHEME.matcher(value);
      String start = scheme.lookingAt() ? scheme.group() : "";
      String rest = value.substring(start.length());
      // curl also accepts an unencoded @ in the password.
      int at = rest.lastIndexOf('@');
      return new Parts(
          start,
          at < 0 ? Optional.empty() : Optional.of(rest.substring(0, at)),
          rest.substring(at + 1));
    }
  }

  /**
   * @param variable the name for the error message
   */
  static ProxyUrl of(String variable, String value) throws ConfigException {
    if (Secret.isQuoted(value)) {
      throw Environment.quoted(variable, Variable.MASKED);
    }
    Parts parts = Parts.of(value);
    boolean isHttp = parts.scheme().isEmpty() || parts.scheme().equalsIgnoreCase("http://");
    Matcher address = ADDRESS.matcher(parts.address());
    if (isHttp && address.matches()) {
      int port = Integer.parseInt(address.group(2));
      Optional<Settings.Credentials> login = parts.login().flatMap(ProxyUrl::login);
      if (port >= 1 && port <= MAX_PORT && login.isPresent() == parts.login().isPresent()) {
        return new ProxyUrl(unbracketed(address.group(1)), port, login);
      }
    }
    throw Environment.bad(variable, masked(value), ALLOWED);
  }

  /** Decodes user and password; empty if they are not valid. */
  private static Optional<Settings.Credentials> login(String encoded) {
    String[] parts = encoded.split(":", 2);
    try {
      String user = decoded(parts[0]);
      String password = parts.length == 1 ? "" : decoded(parts[1]);
      return CONTROL.matcher(user + password).find()
          ? Optional.empty()
          : Optional.of(new Settings.Credentials(user, password));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static String decoded(String encoded) {
    // The decoder is for HTML forms, in which a + is a space.
    return URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** Masks the login, and an invalid address as well because it can contain a part of the login. */
  static String masked(String value) {
    Parts parts = Parts.of(value);
    return parts.scheme()
        + (parts.login().isPresent() ? Variable.MASKED + "@" : "")
        + (NO_SECRET.matcher(parts.address()).matches() ? parts.address() : Variable.MASKED);
  }

  static String unbracketed(String host) {
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }
}
