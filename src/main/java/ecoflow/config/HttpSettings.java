package ecoflow.config;

import java.net.IDN;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The settings of HTTPS calls to EcoFlow's API.
 *
 * @param hosts the first host to call, then the hosts to try if it does not know the access key
 * @param timeout time limit of a call, including the response
 * @param retries number of redeliveries of a failed call
 * @param backoff pause before the first redelivery
 * @param pause pause between attempts before the first success, and cooldown after an answer such
 *     as "too busy"
 * @param attempts number of attempts before the first success
 * @param loginsPerSecond maximum rate of logins at each host with an accounts file
 * @param loginBurst number of logins that can start at once
 * @param proxy the proxy, which MQTT uses as well
 */
public record HttpSettings(
    List<String> hosts,
    Duration timeout,
    int retries,
    Duration backoff,
    Duration pause,
    int attempts,
    double loginsPerSecond,
    int loginBurst,
    Optional<Path> caFile,
    Optional<ProxySettings> proxy) {

  private static final Pattern HOST_AND_PORT =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?");
  private static final List<String> REGIONS =
      List.of("api-e.ecoflow.com", "api-a.ecoflow.com", "api.ecoflow.com");

  /**
   * The settings for a command that makes other HTTPS calls.
   *
   * @throws ConfigException if a setting is not valid
   */
  public static HttpSettings from(Map<String, String> variables) throws ConfigException {
    Environment env = new Environment(variables);
    env.rejectQuotes();
    return read(env, new ArrayList<>());
  }

  /**
   * @param notes receives a line for each setting without effect
   */
  static HttpSettings read(Environment env, List<String> notes) throws ConfigException {
    return new HttpSettings(
        hosts(env),
        env.seconds("HTTP_TIMEOUT", "30", "0.1", "3600"),
        env.number("HTTP_RETRIES", 3, 0, 100),
        env.seconds("HTTP_BACKOFF_FACTOR", "0.5", "0", "3600"),
        pause(env),
        env.number("ESTABLISH_ATTEMPTS", 5, 1, 1_000_000),
        env.decimal("ECOFLOW_LOGIN_RATE", "0.5", "0.001", "1000"),
        env.number("ECOFLOW_LOGIN_BURST", 5, 1, 10_000),
        caFile(env),
        ProxySettings.read(env, notes));
  }

  /** The settings of an account; those that accounts cannot override are those of the process. */
  HttpSettings forAccount(Environment env) throws ConfigException {
    return with(hosts(env), pause(env));
  }

  HttpSettings withHost(String host) {
    return with(List.of(host), pause);
  }

  private HttpSettings with(List<String> newHosts, Duration newPause) {
    return new HttpSettings(
        newHosts,
        timeout,
        retries,
        backoff,
        newPause,
        attempts,
        loginsPerSecond,
        loginBurst,
        caFile,
        proxy);
  }

  private static Duration pause(Environment env) throws ConfigException {
    return env.seconds("RETRY_TIMEOUT", "30", "0.1", "86400");
  }

  /**
   * The certificates that HTTPS and MQTT trust.
   *
   * @throws ConfigException if ECOFLOW_CA_FILE contains no certificate
   */
  public TrustManagerFactory trust() throws ConfigException {
    return Tls.trust(caFile);
  }

  /** A TLS context for clients with these trusted certificates. */
  public static SSLContext tls(TrustManagerFactory trust) {
    return Tls.context(trust);
  }

  /**
   * One host, or several that are tried in order. For a host of EcoFlow, the other regions are
   * added.
   */
  private static List<String> hosts(Environment env) throws ConfigException {
    String value = env.text("ECOFLOW_API_HOST", REGIONS.get(0));
    Set<String> hosts = new LinkedHashSet<>();
    for (String part : value.split(",")) {
      hosts.add(host(env, value, part.strip()));
    }
    if (hosts.size() == 1 && REGIONS.contains(value)) {
      hosts.addAll(REGIONS);
    }
    return List.copyOf(hosts);
  }

  private static String host(Environment env, String value, String host) throws ConfigException {
    String allowed = "a host name, with :port if needed, without https:// and without a path";
    if (!HOST_AND_PORT.matcher(host).matches()) {
      throw env.invalid("ECOFLOW_API_HOST", value, allowed);
    }
    int colon = host.indexOf(':');
    try {
      IDN.toASCII(colon < 0 ? host : host.substring(0, colon), IDN.USE_STD3_ASCII_RULES);
    } catch (IllegalArgumentException e) {
      throw env.invalid("ECOFLOW_API_HOST", value, allowed);
    }
    if (colon >= 0) {
      int port = Integer.parseInt(host.substring(colon + 1));
      if (port < 1 || port > 65535) {
        throw env.invalid("ECOFLOW_API_HOST", value, "a port from 1 to 65535");
      }
    }
    return host;
  }

  private static Optional<Path> caFile(Environment env) throws ConfigException {
    return env.path(
        "ECOFLOW_CA_FILE", Files::isRegularFile, "a readable file with PEM certificates");
  }
}
