package ecoflow.registries;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.config.ConfigException;
import ecoflow.config.RegistrySettings;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.device.Listing;
import ecoflow.quota.Quotas;
import ecoflow.testkit.OneAccount;
import ecoflow.text.Lines;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.helpers.NOPLogger;

class SeriesGaugesTest {

  private static final String SERIAL = "R331ZGAUGE000001";
  private static final int MANY = 10_000;

  private final CamelContext camel = new DefaultCamelContext();
  private final MeterRegistry registry = new SimpleMeterRegistry();
  private final Lines lines = new Lines(NOPLogger.NOP_LOGGER, () -> 0);
  private Account account;
  private Devices devices;
  private Quotas quotas;

  @BeforeEach
  void open() throws ConfigException {
    Settings settings =
        Settings.from(
            Map.of(
                "ECOFLOW_ACCOUNT_USER", "me",
                "ECOFLOW_ACCOUNT_PASSWORD", "secret",
                "ECOFLOW_DEVICE_SN", "all",
                "ECOFLOW_MAX_SERIES_PER_DEVICE", "" + MANY));
    OneAccount one = OneAccount.of(settings);
    devices = new Devices(settings, one.accounts(), line -> {}, () -> 0);
    account = one.account();
    Listing unnamed = new Listing(true, true, null, null);
    devices.listed(account, Map.of(SERIAL, unnamed, "OTHER", unnamed));
    quotas =
        new Quotas(
            settings.devices(),
            devices,
            name -> false,
            kind -> {},
            true,
            text -> Map.of(),
            key -> false,
            () -> 0);
  }

  @AfterEach
  void close() {
    camel.stop();
  }

  private void follow(MeterRegistry... registries) {
    SeriesGauges gauges = new SeriesGauges("eco", devices, List.of(registries), lines);
    devices.onRenamed(gauges::rename);
    quotas.watch(gauges);
  }

  /** A registry that publishes during a replay must not publish outdated values. */
  @Test
  void valuesOfAReplayArePublishedOnceTheDeviceIsOnline() {
    follow(registry);
    replay(600, Map.of("pd.soc", 80, "pd.watts", 5));
    quotas.removeOld();
    assertNull(registry.find("eco_pd_soc").gauge());

    replay(550, Map.of("pd.temp", 20));
    assertEquals(List.of(), registry.getMeters());

    for (int age = 500; age > 0; age -= 50) {
      replay(age, Map.of("pd.soc", age));
      assertEquals(age == 50 ? 3 : 0, registry.getMeters().size(), "age " + age);
    }
    assertEquals(50, registry.get("eco_pd_soc").gauge().value());
  }

  private void replay(long age, Map<String, ?> values) {
    Exchange exchange = message(values);
    exchange
        .getMessage()
        .setHeader(Quotas.RECEIVED, System.currentTimeMillis() - TimeUnit.SECONDS.toMillis(age));
    exchange.getMessage().setHeader(Quotas.REPLAY, "true");
    quotas.store(exchange);
  }

  private Exchange message(Map<String, ?> values) {
    Exchange exchange = new DefaultExchange(camel);
    exchange.getMessage().setHeader(Quotas.DEVICE, SERIAL);
    exchange.getMessage().setHeader(Quotas.SOURCE, Quotas.PUSH);
    exchange.getMessage().setBody(values);
    return exchange;
  }

  private void store(Map<String, ?> values) {
    quotas.store(message(values));
  }

  private static Map<String, Double> gauges(MeterRegistry registry) {
    Map<String, Double> values = new TreeMap<>();
    for (Meter meter : registry.getMeters()) {
      String indexes =
          meter.getId().getTags().stream()
              .filter(tag -> tag.getKey().startsWith("index_"))
              .map(tag -> "[" + tag.getValue() + "]")
              .collect(Collectors.joining());
      values.put(meter.getId().getName() + indexes, ((Gauge) meter).value());
    }
    return values;
  }

  @Test
  void existingSeriesAreRegistered() {
    store(Map.of("a", 1, "list", List.of(5, true)));
    follow(registry);
    assertEquals(Map.of("eco_a", 1.0, "eco_list[0]", 5.0, "eco_list[1]", 1.0), gauges(registry));

    store(Map.of("a", 2, "b.c", -0.5));
    assertEquals(
        Map.of("eco_a", 2.0, "eco_b_c", -0.5, "eco_list[0]", 5.0, "eco_list[1]", 1.0),
        gauges(registry));
    assertEquals("EcoFlow quota b.c", registry.get("eco_b_c").gauge().getId().getDescription());
  }

  /** Two keys with the same name, and a name that becomes a list. */
  @Test
  void gaugeIsNewestOfConflictingSeries() {
    follow(registry);
    store(Map.of("a.b", 1));
    store(Map.of("a_b", 2));
    assertEquals(Map.of("eco_a_b", 2.0), gauges(registry));

    store(Map.of("a", Map.of("b", List.of(3, 4))));
    assertEquals(Map.of("eco_a_b[0]", 3.0, "eco_a_b[1]", 4.0), gauges(registry));
  }

  @Test
  void gaugesOfRemovedSeriesAreRemoved() {
    follow(registry);
    for (int round = 0; round < 10; round++) {
      int first = round * MANY / 10;
      Map<String, Object> added = new HashMap<>();
      Map<String, Object> removed = new HashMap<>();
      IntStream.range(first, first + MANY / 10)
          .forEach(
              i -> {
                added.put("key" + i, i);
                removed.put("key" + i, null);
              });
      store(added);
      assertEquals(MANY / 10, registry.getMeters().size());
      assertEquals(first, registry.get("eco_key" + first).gauge().value());
      store(removed);
      assertEquals(List.of(), registry.getMeters());
    }

    store(Map.of("list", IntStream.range(0, MANY).boxed().toList()));
    assertEquals(MANY, registry.getMeters().size());
    quotas.markOffline(message(Map.of()));
    assertEquals(List.of(), registry.getMeters());
  }

  @Test
  void removedGaugeKeepsItsLastValue() {
    follow(registry);
    store(Map.of("a", 7));
    Gauge gauge = registry.get("eco_a").gauge();

    quotas.markOffline(message(Map.of()));

    // A registry can be about to publish, and some registries publish NaN.
    assertEquals(7, gauge.value());
    assertNull(registry.find("eco_a").gauge());
  }

  @Test
  void labelsFollowDevice() {
    follow(registry);
    store(Map.of("a", 1, "list", List.of(5)));
    assertEquals(Set.of("DELTA 2-0001"), names());

    devices.listed(account, Map.of(SERIAL, new Listing(true, true, "Shed", "DELTA 2")));
    assertEquals(Set.of("Shed"), names());
    assertEquals(Map.of("eco_a", 1.0, "eco_list[0]", 5.0), gauges(registry));
    assertEquals("DELTA 2", registry.get("eco_a").gauge().getId().getTag("product_name"));

    store(Map.of("a", 2, "b", 3));
    devices.listed(account, Map.of(SERIAL, new Listing(true, true, "Shed", "DELTA 2")));
    assertEquals(Set.of("Shed"), names());
    assertEquals(Map.of("eco_a", 2.0, "eco_b", 3.0, "eco_list[0]", 5.0), gauges(registry));

    quotas.markOffline(message(Map.of()));
    devices.listed(account, Map.of(SERIAL, new Listing(true, true, "Barn", "DELTA 2")));
    assertEquals(List.of(), registry.getMeters());
  }

  private Set<String> names() {
    return registry.getMeters().stream()
        .map(meter -> meter.getId().getTag("device_name"))
        .collect(Collectors.toSet());
  }

  @Test
  void registryThatRejectsSeriesDoesNotAffectOthers() {
    MeterRegistry refusing =
        new SimpleMeterRegistry() {
          @Override
          protected <T> Gauge newGauge(Meter.Id id, T object, ToDoubleFunction<T> value) {
            throw new IllegalArgumentException("no " + id.getName());
          }
        };
    follow(refusing, registry);
    store(Map.of("a", 1));

    assertEquals(Map.of("eco_a", 1.0), gauges(registry));
    assertEquals(1, quotas.size(SERIAL));
    quotas.markOffline(message(Map.of()));
    assertEquals(List.of(), registry.getMeters());
  }

  /** A registry can read a gauge while it is being registered. */
  @Test
  void gaugeHasItsValueWhenItIsRegistered() {
    AtomicReference<Double> first = new AtomicReference<>();
    registry.config().onMeterAdded(meter -> first.set(((Gauge) meter).value()));
    follow(registry);
    store(Map.of("a", 3));
    assertEquals(3, first.get());
  }

  private static Registries withoutNames() throws ConfigException {
    return Registries.open(new RegistrySettings(List.of(), name -> Optional.empty()));
  }

  @Test
  void beansAreFoundWhenContextStarts() throws ConfigException {
    MeterRegistry page = new SimpleMeterRegistry();
    MeterRegistry inner = new SimpleMeterRegistry();
    CompositeMeterRegistry withPage = new CompositeMeterRegistry();
    withPage.add(page);
    withPage.add(inner);
    try (Registries registries = withoutNames()) {
      registries.publish(camel, "eco", devices, quotas, page);
      camel.getRegistry().bind("metricsRegistry", page);
      camel.getRegistry().bind("mine", registry);
      camel.getRegistry().bind("both", withPage);
      camel.start();
      store(Map.of("a", 3));

      assertEquals(Map.of("eco_a", 3.0), gauges(registry));
      assertEquals(Map.of("eco_a", 3.0), gauges(inner));
      assertEquals(List.of(), page.getMeters());
    }
    assertTrue(registry.isClosed());
    assertTrue(inner.isClosed());
    assertFalse(page.isClosed());
  }

  @Test
  void noThreadWithoutRegistry() throws ConfigException {
    MeterRegistry page = new SimpleMeterRegistry();
    Registries registries = withoutNames();
    registries.publish(camel, "eco", devices, quotas, page);
    camel.getRegistry().bind("metricsRegistry", page);
    camel.start();
    store(Map.of("a", 3));
    assertEquals(List.of(), page.getMeters());
    eventually(
        () ->
            assertTrue(
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().equals("registries"))));
    registries.close();
  }
}
