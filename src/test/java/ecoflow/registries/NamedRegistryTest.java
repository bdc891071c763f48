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

  @TempDir Path folder;

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

  private static String complaint(String name, String... pairs) {
    String message =
        assertThrows(
                ConfigException.class, () -> NamedRegistry.make(name, settings(pairs).variables()))
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
  void propertiesAreVariables(String property, String variable) {
    assertEquals(variable, RegistryConfig.variable(property));
  }

  @Test
  void variablesComeBeforeDefaults() throws Exception {
    Path headers = Files.writeString(folder.resolve("headers"), "Authorization=Bearer abc\n");
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
  void aNameMakesARegistry(String name, String type) throws ConfigException {
    MeterRegistry registry =
        NamedRegistry.make(
            name, settings("OTLP_ENABLED", "false", "INFLUX_ENABLED", "false").variables());
    assertEquals(type, registry.getClass().getName());
    registry.close();
  }

  @Test
  void aNameThatNobodyKnowsIsToldWithThoseThatThereAre() {
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=prometeus is not valid: it takes appoptics, atlas,"
            + " azure-monitor, cloudwatch2, datadog, dynatrace, elastic, ganglia, graphite, humio,"
            + " influx, jmx, kairos, new-relic, opentsdb, otlp, signalfx, stackdriver, statsd,"
            + " wavefront, or the name of a registry's class",
        complaint("prometeus"));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=a b is not valid: expected names such as otlp or influx,"
            + " or class names, separated by commas",
        assertThrows(
                ConfigException.class, () -> settings("ECOFLOW_MICROMETER_REGISTRIES", "otlp,a b"))
            .getMessage());
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=java.lang.String is not valid:"
            + " it takes a class that is a MeterRegistry",
        complaint("java.lang.String"));
  }

  @Test
  void aJarThatIsMissingIsNamed() {
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=datadog needs a jar that is not there:"
            + " put io.micrometer:micrometer-registry-datadog and what it depends on"
            + " into ECOFLOW_LIB_DIR",
        complaint("datadog"));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=com.example.MyRegistry needs a jar that is not there:"
            + " put the jar with this class and what it depends on into ECOFLOW_LIB_DIR",
        complaint("com.example.MyRegistry"));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES="
            + Incomplete.class.getName()
            + " needs more jars, NoClassDefFoundError: com/example/Client:"
            + " put the jar with this class and what it depends on into ECOFLOW_LIB_DIR",
        complaint(Incomplete.class.getName()));
  }

  @Test
  void whatMicrometerRefusesIsToldByTheNameOfTheVariable() {
    assertEquals(
        "OTLP_STEP=often is not valid: it must be a valid duration value"
            + " (for ECOFLOW_MICROMETER_REGISTRIES=otlp)",
        complaint("otlp", "OTLP_STEP", "often"));
    assertEquals(
        "OTLP_URL=collector:4318 is not valid: it must be a valid URL"
            + " (for ECOFLOW_MICROMETER_REGISTRIES=otlp)",
        complaint("otlp", "OTLP_URL", "collector:4318"));
    assertEquals(
        "OTLP_URL=*** is not valid: it must be a valid URL"
            + " (for ECOFLOW_MICROMETER_REGISTRIES=otlp)",
        complaint("otlp", "OTLP_URL", "//me:secret@collector"));
    assertEquals(
        "INFLUX_API_VERSION=V2 is not valid: it requires 'org' is also configured"
            + " (for ECOFLOW_MICROMETER_REGISTRIES=influx)",
        complaint("influx", "INFLUX_API_VERSION", "v2", "INFLUX_TOKEN", "secret"));
    assertEquals(
        "SHOP_API_KEY is not set: it is required; SHOP_SIZE=large is not valid: it must be an integer"
            + " (for ECOFLOW_MICROMETER_REGISTRIES="
            + OfShop.class.getName()
            + ")",
        complaint(OfShop.class.getName(), "SHOP_SIZE", "large"));
    assertEquals(
        "OTLP_URL and OTLP_URL_FILE are both set: set one of them",
        complaint("otlp", "OTLP_URL", "http://localhost", "OTLP_URL_FILE", "/dev/null"));
  }

  @Test
  void aRegistryThatCannotBeMadeIsTold() {
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES="
            + Unwilling.class.getName()
            + " cannot be set up: IOException: not today",
        complaint(Unwilling.class.getName()));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES="
            + Demanding.class.getName()
            + " is not valid: "
            + Demanding.class.getName()
            + " has no constructor for a configuration and a clock; bind it as a bean",
        complaint(Demanding.class.getName()));
  }

  /** As the one for CloudWatch. */
  @Test
  void aClientThatMakesItselfIsMade() throws ConfigException {
    WithClient registry =
        assertInstanceOf(
            WithClient.class,
            NamedRegistry.make(WithClient.class.getName(), settings().variables()));
    assertEquals("made", registry.client.how());
  }

  public record Client(String how) {
    public static Client create() {
      return new Client("made");
    }
  }

  public static final class WithClient extends SimpleMeterRegistry {
    final Client client;

    public WithClient(SimpleConfig config, Clock clock, Client client) {
      super(config, clock);
      this.client = client;
    }
  }

  /** Micrometer's way to say what must be set. */
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

  public static final class OfShop extends SimpleMeterRegistry {
    public OfShop(ShopConfig config) {
      config.requireValid();
    }
  }

  public static final class Demanding extends SimpleMeterRegistry {
    public Demanding(SimpleConfig config, String unknown) {
      super(config, Clock.SYSTEM);
    }
  }

  public static final class Unwilling extends SimpleMeterRegistry {
    public Unwilling(SimpleConfig config, Clock clock) throws IOException {
      super(config, clock);
      throw new IOException("not today");
    }
  }

  public static final class Incomplete extends SimpleMeterRegistry {
    public Incomplete(SimpleConfig config, Clock clock) {
      super(config, clock);
      throw new NoClassDefFoundError("com/example/Client");
    }
  }

  @Test
  void oneThatCannotBeMadeLeavesNoneBehind() {
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
