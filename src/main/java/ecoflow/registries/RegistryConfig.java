package ecoflow.registries;

import ecoflow.config.ConfigException;
import ecoflow.config.RegistrySettings;
import ecoflow.text.Lines;
import io.micrometer.core.instrument.config.validate.Validated;
import io.micrometer.core.instrument.config.validate.ValidationException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The settings of a registry. A property such as {@code otlp.baseTimeUnit} is read from a variable
 * such as {@code OTLP_BASE_TIME_UNIT}; the defaults are those of Micrometer.
 */
final class RegistryConfig implements InvocationHandler {

  private static final Pattern WORD_START = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])");
  private static final Pattern NO_LETTER = Pattern.compile("[^A-Za-z0-9]+");
  private static final Pattern SECRET =
      Pattern.compile(".*(KEY|TOKEN|SECRET|PASSWORD|HEADERS|CREDENTIALS).*");

  private final RegistrySettings.Variables variables;

  RegistryConfig(RegistrySettings.Variables variables) {
    this.variables = variables;
  }

  /** Passes the error of a variable through Micrometer. */
  static final class VariableException extends RuntimeException {

    private static final long serialVersionUID = 1L;
    private final ConfigException reason;

    VariableException(ConfigException reason) {
      super(reason.getMessage(), reason);
      this.reason = reason;
    }

    ConfigException reason() {
      return reason;
    }
  }

  /**
   * Whether the type is an interface with a method that returns a property by name, like those of
   * Micrometer.
   */
  static boolean isConfig(Class<?> type) {
    try {
      return type.isInterface()
          && type.getMethod("get", String.class).getReturnType() == String.class;
    } catch (NoSuchMethodException e) {
      return false;
    }
  }

  Object as(Class<?> config) {
    return Proxy.newProxyInstance(config.getClassLoader(), new Class<?>[] {config}, this);
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    if (method.isDefault()) {
      return InvocationHandler.invokeDefault(proxy, method, arguments);
    }
    return switch (method.getName()) {
      case "get" -> get((String) arguments[0]);
      case "equals" -> proxy == arguments[0];
      case "hashCode" -> System.identityHashCode(proxy);
      case "toString" -> "variables";
      default -> throw new UnsupportedOperationException(method.getName());
    };
  }

  private String get(String property) {
    try {
      return variables.value(variable(property)).orElse(null);
    } catch (ConfigException e) {
      throw new VariableException(e);
    }
  }

  static String variable(String property) {
    String separated = WORD_START.matcher(property).replaceAll("_");
    return NO_LETTER.matcher(separated).replaceAll("_").toUpperCase(Locale.ROOT);
  }

  /** Describes invalid properties, with the names of their variables. */
  static String describe(ValidationException invalid) {
    return invalid.getValidation().failures().stream()
        .map(RegistryConfig::describe)
        .collect(Collectors.joining("; "));
  }

  private static String describe(Validated.Invalid<?> failure) {
    String name = variable(failure.getProperty());
    String message = Lines.oneLine(failure.getMessage());
    if (failure.getValue() == null) {
      return name + " is not set: it " + message;
    }
    String value = Lines.oneLine(failure.getValue().toString());
    boolean secret = SECRET.matcher(name).matches() || value.indexOf('@') >= 0;
    return name + "=" + (secret ? "***" : value) + " is not valid: it " + message;
  }
}
