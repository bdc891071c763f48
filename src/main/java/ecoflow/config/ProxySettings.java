package ecoflow.config;

import ecoflow.text.Lines;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The forward proxy of all connections to EcoFlow. HTTPS and MQTT both use CONNECT.
 *
 * @param variable the variable that sets the proxy, in upper or lower case like in the environment
 * @param host without the brackets of an IPv6 address
 * @param login user and password for Basic authentication
 * @param direct the hosts of NO_PROXY
 */
public record ProxySettings(
    String variable, String host, int port, Optional<Settings.Credentials> login, NoProxy direct) {

  private static final List<String> VARIABLES = List.of("HTTPS_PROXY", "HTTP_PROXY");
  private static final String NO_PROXY = "NO_PROXY";

  private record Given(String variable, String value) {}

  /**
   * @param notes receives a line for each entry of NO_PROXY without effect
   */
  static Optional<ProxySettings> read(Environment env, List<String> notes) throws ConfigException {
    Optional<Given> proxy = Optional.empty();
    for (String name : VARIABLES) {
      Optional<Given> given = given(env, name);
      if (proxy.isEmpty()) {
        proxy = given;
      }
    }
    Optional<Given> noProxy = given(env, NO_PROXY);
    if (proxy.isEmpty()) {
      return Optional.empty();
    }
    ProxyUrl url = ProxyUrl.of(proxy.get().variable(), proxy.get().value());
    NoProxy direct = NoProxy.of(noProxy.map(Given::value).orElse(""));
    direct
        .unusable()
        .forEach(
            entry ->
                notes.add(
                    noProxy.orElseThrow().variable()
                        + ": "
                        + Lines.printable(entry)
                        + " has no effect: it is not a host, an address or a network"));
    return Optional.of(
        new ProxySettings(proxy.get().variable(), url.host(), url.port(), url.login(), direct));
  }

  /** Reads the variable in lower case or, if it is not set, in upper case, like curl. */
  private static Optional<Given> given(Environment env, String name) {
    env.note(Variable.byDefault(name, Variable.NONE));
    String lower = name.toLowerCase(Locale.ROOT);
    for (String variable : List.of(lower, name)) {
      Optional<String> value = env.given(variable);
      if (value.isPresent()) {
        String shown = name.equals(NO_PROXY) ? value.get() : ProxyUrl.masked(value.get());
        String source = variable.equals(name) ? "" : ", " + variable;
        env.note(new Variable(name, Lines.printable(shown), Variable.ENVIRONMENT + source));
        return Optional.of(new Given(variable, value.get()));
      }
    }
    return Optional.empty();
  }

  /** Whether a connection to this host uses the proxy. */
  public boolean isFor(String target, int targetPort) {
    return !direct.contains(target, targetPort);
  }

  /** The address without the login, and the variable, for log lines. */
  public String label() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port + " (" + variable + ")";
  }
}
