package ecoflow.config;

/**
 * Invalid configuration. The message is one line with the variable, its value (secrets masked) and
 * the allowed values.
 */
public final class ConfigException extends Exception {

  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }
}
