package ecoflow.config;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The additional Micrometer registries with device series.
 *
 * @param names short names such as otlp, or class names
 * @param variables the settings of the registries
 */
public record RegistrySettings(List<String> names, Variables variables) {

  public static final String VARIABLE = "ECOFLOW_MICROMETER_REGISTRIES";

  private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_.$-]*");

  /** Reads the settings of a registry, including secrets. */
  @FunctionalInterface
  public interface Variables {

    /** The value of the variable NAME, or the content of the file named by NAME_FILE. */
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
        throw env.invalid(
            VARIABLE, name, "names such as otlp or influx, or class names, separated by commas");
      }
    }
    return new RegistrySettings(names, env::secret);
  }
}
