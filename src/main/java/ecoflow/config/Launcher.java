package ecoflow.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The variables of the launcher and of its command lib. The exporter only lists them in the output
 * of {@code config}.
 */
public final class Launcher {

  static final String JAVA_OPTS = "ECOFLOW_JAVA_OPTS";
  static final String MAVEN_MIRROR = "ECOFLOW_MAVEN_MIRROR";
  private static final String MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2";
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

  private Launcher() {}

  static void explain(Environment env) {
    env.note("JAVA_HOME", "the java on the PATH");
    Optional<String> options = env.text(JAVA_OPTS);
    options.ifPresent(
        given -> env.note(new Variable(JAVA_OPTS, withoutSecrets(given), Variable.ENVIRONMENT)));
    env.note("ECOFLOW_CACHE_DIR", "cache next to bin");
    env.text("ECOFLOW_ARCHIVE");
    Optional<String> mirror = env.note(MAVEN_MIRROR, MAVEN_CENTRAL);
    mirror.ifPresent(
        given ->
            env.note(new Variable(MAVEN_MIRROR, ProxyUrl.masked(given), Variable.ENVIRONMENT)));
  }

  /**
   * The URL of the Maven repository, with or without a login.
   *
   * @throws ConfigException if ECOFLOW_MAVEN_MIRROR is not valid
   */
  public static URI mavenMirror(Map<String, String> variables) throws ConfigException {
    String value = new Environment(variables).text(MAVEN_MIRROR, MAVEN_CENTRAL);
    try {
      URI url = new URI(value).parseServerAuthority();
      // Without TLS, the checksums could be changed together with the files.
      boolean isSafe =
          "https".equals(url.getScheme())
              || "http".equals(url.getScheme()) && LOOPBACK.contains(url.getHost());
      if (isSafe
          && url.getHost() != null
          && url.getRawQuery() == null
          && url.getFragment() == null) {
        return url;
      }
    } catch (URISyntaxException e) {
      // Reported below.
    }
    throw Environment.bad(
        MAVEN_MIRROR,
        ProxyUrl.masked(value),
        "https://HOST/PATH or https://USER:PASSWORD@HOST/PATH; http only for localhost");
  }

  /** Masks system properties and agent options, which can contain passwords. */
  private static String withoutSecrets(String options) {
    return Arrays.stream(options.split("\\s+"))
        .map(
            option ->
                option.startsWith("-X") && !option.startsWith("-Xrun")
                    ? option
                    : option.replaceFirst("([=:]).*", "$1" + Variable.MASKED))
        .collect(Collectors.joining(" "));
  }
}
