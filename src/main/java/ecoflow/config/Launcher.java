package ecoflow.config;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The variables of the launcher. The exporter only lists them in the output of {@code config}. */
final class Launcher {

  static final String JAVA_OPTS = "ECOFLOW_JAVA_OPTS";

  private Launcher() {}

  static void explain(Environment env) {
    env.note("JAVA_HOME", "the java on the PATH");
    Optional<String> options = env.text(JAVA_OPTS);
    options.ifPresent(
        given -> env.note(new Variable(JAVA_OPTS, withoutSecrets(given), Variable.ENVIRONMENT)));
    env.note("ECOFLOW_CACHE_DIR", "cache next to bin");
    env.text("ECOFLOW_ARCHIVE");
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
