package ecoflow.config;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The registries of Micrometer that device series go to besides the metrics page.
 *
 * @param names each a short name such as otlp, or the name of a class
 */
public record RegistrySettings(List<String> names, Variables variables) {

  public static final String VARIABLE = "ECOFLOW_MICROMETER_REGISTRIES";

  private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_.$-]*");

  /** Where the settings of a registry stand, secrets among them. */
  @FunctionalInterface
  public interface Variables {

    /** The value of a variable, or of the file that NAME_FILE names. */
    Optional<String> value(String name) throws ConfigException;
  }

  static RegistrySettings read(Environment env) throws ConfigException {
    List<String> names =
        Stream.of(env.text(VARIABLE, "").split(","))
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .distinct()
            .toList();
    for (String name : names) {
      if (!NAME.matcher(name).matches()) {
        throw Environment.bad(
            VARIABLE, name, "names such as otlp or influx, or of classes, with commas between");
      }
    }
    return new RegistrySettings(names, env::secret);
  }
}
