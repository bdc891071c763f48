package ecoflow.registries;

import ecoflow.config.ConfigException;
import ecoflow.config.RegistrySettings;
import ecoflow.text.Lines;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.config.validate.ValidationException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Creates a registry from its name, its jar and environment variables. */
final class NamedRegistry {

  /** Class names by the suffix of the artifact, {@code micrometer-registry-SUFFIX}. */
  private static final Map<String, String> CLASS_NAMES =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("appoptics", "appoptics.AppOptics"),
              Map.entry("atlas", "atlas.Atlas"),
              Map.entry("azure-monitor", "azuremonitor.AzureMonitor"),
              Map.entry("cloudwatch2", "cloudwatch2.CloudWatch"),
              Map.entry("datadog", "datadog.Datadog"),
              Map.entry("dynatrace", "dynatrace.Dynatrace"),
              Map.entry("elastic", "elastic.Elastic"),
              Map.entry("ganglia", "ganglia.Ganglia"),
              Map.entry("graphite", "graphite.Graphite"),
              Map.entry("humio", "humio.Humio"),
              Map.entry("influx", "influx.Influx"),
              Map.entry("jmx", "jmx.Jmx"),
              Map.entry("kairos", "kairos.Kairos"),
              Map.entry("new-relic", "newrelic.NewRelic"),
              Map.entry("opentsdb", "opentsdb.OpenTSDB"),
              Map.entry("otlp", "registry.otlp.Otlp"),
              Map.entry("signalfx", "signalfx.SignalFx"),
              Map.entry("stackdriver", "stackdriver.Stackdriver"),
              Map.entry("statsd", "statsd.Statsd"),
              Map.entry("wavefront", "wavefront.Wavefront")));

  private final String name;
  private final String setting;
  private final RegistryConfig config;

  private NamedRegistry(String name, RegistrySettings.Variables variables) {
    this.name = name;
    this.setting = RegistrySettings.VARIABLE + "=" + Lines.oneLine(name);
    this.config = new RegistryConfig(variables);
  }

  /**
   * @param name a short name such as otlp, or a class name
   * @throws ConfigException if the registry cannot be created
   */
  static MeterRegistry create(String name, RegistrySettings.Variables variables)
      throws ConfigException {
    return new NamedRegistry(name, variables).create();
  }

  private MeterRegistry create() throws ConfigException {
    try {
      Class<?> type = type();
      if (!MeterRegistry.class.isAssignableFrom(type) || Modifier.isAbstract(type.getModifiers())) {
        throw new ConfigException(setting + " is not valid: expected a subclass of MeterRegistry");
      }
      return (MeterRegistry) instance(constructor(type));
    } catch (LinkageError e) {
      throw new ConfigException(
          setting + " requires further jars (" + Lines.root(e) + "): put " + jars());
    }
  }

  private Class<?> type() throws ConfigException {
    String known = CLASS_NAMES.get(name.toLowerCase(Locale.ROOT));
    if (known == null && name.indexOf('.') < 0) {
      throw new ConfigException(
          setting
              + " is not valid: expected "
              + String.join(", ", CLASS_NAMES.keySet())
              + ", or the class name of a registry");
    }
    try {
      // The jar can be in ECOFLOW_LIB_DIR.
      return Class.forName(
          known == null ? name : "io.micrometer." + known + "MeterRegistry",
          true,
          Thread.currentThread().getContextClassLoader());
    } catch (ClassNotFoundException e) {
      throw new ConfigException(setting + " requires a further jar: put " + jars());
    }
  }

  private String jars() {
    String artifact = name.toLowerCase(Locale.ROOT);
    if (!CLASS_NAMES.containsKey(artifact)) {
      return "the jar with this class and its dependencies into ECOFLOW_LIB_DIR";
    }
    artifact = "micrometer-registry-" + artifact;
    return "io.micrometer:"
        + artifact
        + " and its dependencies into ECOFLOW_LIB_DIR (ecoflow-exporter lib add "
        + artifact
        + ")";
  }

  /**
   * The supported constructor with the fewest parameters. A constructor with a configuration takes
   * precedence.
   */
  private Constructor<?> constructor(Class<?> type) throws ConfigException {
    return Stream.of(type.getConstructors())
        .filter(constructor -> Stream.of(constructor.getParameterTypes()).allMatch(this::isKnown))
        .min(
            Comparator.comparing((Constructor<?> constructor) -> !isConfigured(constructor))
                .thenComparing(Constructor::getParameterCount))
        .orElseThrow(
            () ->
                new ConfigException(
                    setting
                        + " is not valid: "
                        + type.getName()
                        + " has no constructor with only a configuration and a clock as"
                        + " parameters; bind it as a bean"));
  }

  private static boolean isConfigured(Constructor<?> constructor) {
    return Stream.of(constructor.getParameterTypes()).anyMatch(RegistryConfig::isConfig);
  }

  private boolean isKnown(Class<?> parameter) {
    return parameter == Clock.class
        || RegistryConfig.isConfig(parameter)
        || factory(parameter).isPresent();
  }

  /** A static method create() without parameters, which clients of cloud services have. */
  private static Optional<Method> factory(Class<?> parameter) {
    return Stream.of(parameter.getMethods())
        .filter(method -> method.getName().equals("create") && method.getParameterCount() == 0)
        .filter(method -> Modifier.isStatic(method.getModifiers()))
        .filter(method -> parameter.isAssignableFrom(method.getReturnType()))
        .findFirst();
  }

  private Object instance(Constructor<?> constructor) throws ConfigException {
    try {
      Class<?>[] types = constructor.getParameterTypes();
      Object[] values = new Object[types.length];
      for (int i = 0; i < types.length; i++) {
        values[i] = value(types[i]);
      }
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw failure(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw failure(e);
    }
  }

  private Object value(Class<?> type) throws ReflectiveOperationException {
    if (type == Clock.class) {
      return Clock.SYSTEM;
    }
    return RegistryConfig.isConfig(type)
        ? config.as(type)
        : factory(type).orElseThrow().invoke(null);
  }

  private ConfigException failure(Throwable thrown) {
    if (thrown instanceof LinkageError missing) {
      throw missing;
    }
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof RegistryConfig.VariableException invalidVariable) {
        return invalidVariable.reason();
      }
      if (cause instanceof ValidationException invalid) {
        return new ConfigException(RegistryConfig.describe(invalid) + " (for " + setting + ")");
      }
    }
    return new ConfigException(setting + " cannot be created: " + Lines.root(thrown));
  }
}
