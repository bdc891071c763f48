package ecoflow.registries;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ecoflow.config.ConfigException;
import ecoflow.config.RegistrySettings;
import ecoflow.config.Settings;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.config.MeterRegistryConfig;
import io.micrometer.core.instrument.config.MeterRegistryConfigValidator;
import io.micrometer.core.instrument.config.validate.PropertyValidator;
import io.micrometer.core.instrument.config.validate.Validated;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.registry.otlp.OtlpConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NamedRegistryTest {

  @TempDir Path directory;

  private static RegistrySettings settings(String... pairs) throws ConfigException {
    Map<String, String> variables = new HashMap<>();
    variables.put("ECOFLOW_ACCESS_KEY", "key");
    variables.put("ECOFLOW_SECRET_KEY", "secret");
    variables.put("ECOFLOW_DEVICE_SN", "all");
    for (int i = 0; i < pairs.length; i += 2) {
      variables.put(pairs[i], pairs[i + 1]);
    }
    return Settings.from(variables).registries();
  }

  private static String error(String name, String... pairs) {
    String message =
        assertThrows(
                ConfigException.class,
                () -> NamedRegistry.create(name, settings(pairs).variables()))
            .getMessage();
    assertFalse(message.contains("\n"), message);
    return message;
  }

  @ParameterizedTest
  @CsvSource({
    "otlp.url, OTLP_URL",
    "otlp.baseTimeUnit, OTLP_BASE_TIME_UNIT",
    "influx.userName, INFLUX_USER_NAME",
    "influx.apiVersion, INFLUX_API_VERSION",
    "azuremonitor.instrumentationKey, AZUREMONITOR_INSTRUMENTATION_KEY",
    "my-registry.step, MY_REGISTRY_STEP"
  })
  void propertiesMapToVariables(String property, String variable) {
    assertEquals(variable, RegistryConfig.variable(property));
  }

  @Test
  void variablesOverrideDefaults() throws Exception {
    Path headers = Files.writeString(directory.resolve("headers"), "Authorization=Bearer abc\n");
    OtlpConfig config =
        (OtlpConfig)
            new RegistryConfig(
                    settings(
                            "OTLP_STEP", "7s",
                            "OTLP_BASE_TIME_UNIT", "seconds",
                            "OTLP_BATCH_SIZE", "",
                            "OTLP_HEADERS_FILE", headers.toString())
                        .variables())
                .as(OtlpConfig.class);

    assertEquals(Duration.ofSeconds(7), config.step());
    assertEquals(TimeUnit.SECONDS, config.baseTimeUnit());
    assertEquals(Map.of("Authorization", "Bearer abc"), config.headers());
    assertEquals(OtlpConfig.DEFAULT.batchSize(), config.batchSize());
    assertEquals(OtlpConfig.DEFAULT.url(), config.url());
  }

  @ParameterizedTest
  @CsvSource({
    "otlp, io.micrometer.registry.otlp.OtlpMeterRegistry",
    "OTLP, io.micrometer.registry.otlp.OtlpMeterRegistry",
    "io.micrometer.registry.otlp.OtlpMeterRegistry, io.micrometer.registry.otlp.OtlpMeterRegistry",
    "influx, io.micrometer.influx.InfluxMeterRegistry",
    "io.micrometer.core.instrument.simple.SimpleMeterRegistry,"
        + " io.micrometer.core.instrument.simple.SimpleMeterRegistry"
  })
  void nameCreatesRegistry(String name, String type) throws ConfigException {
    MeterRegistry registry =
        NamedRegistry.create(
            name, settings("OTLP_ENABLED", "false", "INFLUX_ENABLED", "false").variables());
    assertEquals(type, registry.getClass().getName());
    registry.close();
  }

  @Test
  void unknownNamesAreReportedWithAllowedNames() {
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=prometeus is not valid: expected appoptics, atlas,"
            + " azure-monitor, cloudwatch2, datadog, dynatrace, elastic, ganglia, graphite, humio,"
            + " influx, jmx, kairos, new-relic, opentsdb, otlp, signalfx, stackdriver, statsd,"
            + " wavefront, or the class name of a registry",
        error("prometeus"));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=a b is not valid: expected names such as otlp or influx,"
            + " or class names, separated by commas",
        assertThrows(
                ConfigException.class, () -> settings("ECOFLOW_MICROMETER_REGISTRIES", "otlp,a b"))
            .getMessage());
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=java.lang.String is not valid:"
            + " expected a subclass of MeterRegistry",
        error("java.lang.String"));
  }

  @Test
  void missingJarsAreReported() {
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=datadog requires a further jar: put"
            + " io.micrometer:micrometer-registry-datadog and its dependencies"
            + " into ECOFLOW_LIB_DIR (ecoflow-exporter lib add micrometer-registry-datadog)",
        error("datadog"));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=com.example.MyRegistry requires a further jar: put the"
            + " jar with this class and its dependencies into ECOFLOW_LIB_DIR",
        error("com.example.MyRegistry"));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES="
            + MissingDependency.class.getName()
            + " requires further jars (NoClassDefFoundError: com/example/Client):"
            + " put the jar with this class and its dependencies into ECOFLOW_LIB_DIR",
        error(MissingDependency.class.getName()));
  }

  @Test
  void invalidPropertiesAreReportedWithVariableName() {
    assertEquals(
        "OTLP_STEP=often is not valid: it must be a valid duration value"
            + " (for ECOFLOW_MICROMETER_REGISTRIES=otlp)",
        error("otlp", "OTLP_STEP", "often"));
    assertEquals(
        "OTLP_URL=collector:4318 is not valid: it must be a valid URL"
            + " (for ECOFLOW_MICROMETER_REGISTRIES=otlp)",
        error("otlp", "OTLP_URL", "collector:4318"));
    assertEquals(
        "OTLP_URL=*** is not valid: it must be a valid URL"
            + " (for ECOFLOW_MICROMETER_REGISTRIES=otlp)",
        error("otlp", "OTLP_URL", "//me:secret@collector"));
    assertEquals(
        "INFLUX_API_VERSION=V2 is not valid: it requires 'org' is also configured"
            + " (for ECOFLOW_MICROMETER_REGISTRIES=influx)",
        error("influx", "INFLUX_API_VERSION", "v2", "INFLUX_TOKEN", "secret"));
    assertEquals(
        "SHOP_API_KEY is not set: it is required; SHOP_SIZE=large is not valid: it must be an integer"
            + " (for ECOFLOW_MICROMETER_REGISTRIES="
            + ShopRegistry.class.getName()
            + ")",
        error(ShopRegistry.class.getName(), "SHOP_SIZE", "large"));
    assertEquals(
        "OTLP_URL and OTLP_URL_FILE are both set: set one of them",
        error("otlp", "OTLP_URL", "http://localhost", "OTLP_URL_FILE", "/dev/null"));
  }

  @Test
  void registriesThatCannotBeCreatedAreReported() {
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES="
            + FailingRegistry.class.getName()
            + " cannot be created: IOException: not today",
        error(FailingRegistry.class.getName()));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES="
            + UnsupportedConstructor.class.getName()
            + " is not valid: "
            + UnsupportedConstructor.class.getName()
            + " has no constructor with only a configuration and a clock as parameters; bind it"
            + " as a bean",
        error(UnsupportedConstructor.class.getName()));
  }

  /** The registry of CloudWatch requires such a client. */
  @Test
  void clientsWithFactoryMethodAreCreated() throws ConfigException {
    WithClient registry =
        assertInstanceOf(
            WithClient.class,
            NamedRegistry.create(WithClient.class.getName(), settings().variables()));
    assertEquals("created", registry.client.origin());
  }

  public record Client(String origin) {
    public static Client create() {
      return new Client("created");
    }
  }

  public static final class WithClient extends SimpleMeterRegistry {
    final Client client;

    public WithClient(SimpleConfig config, Clock clock, Client client) {
      super(config, clock);
      this.client = client;
    }
  }

  /** A configuration with validation. */
  public interface ShopConfig extends MeterRegistryConfig {
    @Override
    default String prefix() {
      return "shop";
    }

    @Override
    default Validated<?> validate() {
      return MeterRegistryConfigValidator.checkAll(
          this,
          MeterRegistryConfigValidator.checkRequired(
              "apiKey", config -> PropertyValidator.getSecret(config, "apiKey").orElse(null)),
          MeterRegistryConfigValidator.check(
              "size", config -> PropertyValidator.getInteger(config, "size").orElse(1)));
    }
  }

  public static final class ShopRegistry extends SimpleMeterRegistry {
    public ShopRegistry(ShopConfig config) {
      config.requireValid();
    }
  }

  public static final class UnsupportedConstructor extends SimpleMeterRegistry {
    public UnsupportedConstructor(SimpleConfig config, String unknown) {
      super(config, Clock.SYSTEM);
    }
  }

  public static final class FailingRegistry extends SimpleMeterRegistry {
    public FailingRegistry(SimpleConfig config, Clock clock) throws IOException {
      super(config, clock);
      throw new IOException("not today");
    }
  }

  public static final class MissingDependency extends SimpleMeterRegistry {
    public MissingDependency(SimpleConfig config, Clock clock) {
      super(config, clock);
      throw new NoClassDefFoundError("com/example/Client");
    }
  }

  @Test
  void failureOfOneRegistryClosesOthers() {
    long before = publishers();
    assertThrows(
        ConfigException.class,
        () -> Registries.open(settings("ECOFLOW_MICROMETER_REGISTRIES", "otlp, nonsense")));
    eventually(() -> assertEquals(before, publishers()));
  }

  private static long publishers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("otlp-metrics-publisher"))
        .count();
  }
}
