package ecoflow.config;

/**
 * Bad configuration. The message is one line: the variable, its value (secrets masked), what is
 * allowed.
 */
public final class ConfigException extends Exception {

  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }
}
