package ecoflow.config;

/**
 * The effective value of an environment variable, for the output of {@code config}.
 *
 * @param value the value, masked if it is a secret; "-" for none
 * @param source the source of the value, such as environment or default
 */
public record Variable(String name, String value, String source) {

  static final String NONE = "-";
  static final String MASKED = "***";
  static final String ENVIRONMENT = "environment";
  static final String DEFAULT = "default";

  static Variable byDefault(String name, String value) {
    return new Variable(name, value, DEFAULT);
  }

  static Variable derived(String name, String value, String from) {
    return new Variable(name, value, "derived: " + from);
  }
}
