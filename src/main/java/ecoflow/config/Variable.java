package ecoflow.config;

/**
 * What one environment variable comes to, for people.
 *
 * @param value masked where it is a secret; "-" for none
 * @param source where it came from
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
