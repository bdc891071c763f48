package ecoflow.fleet;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.SimulatedAccount;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.AccountsYaml;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Distribution;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.KafkaBroker;
import ecoflow.testkit.LocalHttp;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.PrometheusServer;
import ecoflow.testkit.PrometheusServer.Sample;
import ecoflow.testkit.Series;
import ecoflow.testkit.Variables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Restarts three servers and two collectors like Kubernetes, with the launcher of the distribution,
 * while devices send messages and Prometheus scrapes all processes.
 */
class RollingUpdateIT {

  private static final int TERMINATED = 143;
  private static final int PARTITIONS = 6;
  private static final int SERVERS = 3;

  /** Each is the only account of one of two shards. */
  private static final List<String> ACCOUNTS = List.of("house-1", "house-2");

  private static final int DEVICES_PER_ACCOUNT = 10;
  private static final int DEVICES = ACCOUNTS.size() * DEVICES_PER_ACCOUNT;

  private static final int MESSAGES_PER_SECOND = 10;

  /** The messages of a device that can be between the device and its collector. */
  private static final int ON_THE_WAY = MESSAGES_PER_SECOND;

  /** The first value of the energy counter of each device. */
  private static final long LIFETIME_WATT_HOURS = 1_000_000;

  /** The input power of each device, and of its energy counter. */
  private static final int WATTS = 3600;

  private static final double STEP_SECONDS = 0.5;
  private static final double MAX_GAP_SECONDS = 15;

  /** A longer start shows that the machine is overloaded, which also makes the gaps longer. */
  private static final double MAX_START_SECONDS = 10;

  /** Of an increase, which Prometheus extrapolates from its samples. */
  private static final double MIN_FACTOR = 0.7;

  private static final double MAX_FACTOR = 1.15;

  private static final String NUMBERS = "max without (instance) (ecoflow_test_number)";
  private static final String ENERGY =
      "max without (instance) (ecoflow_solar_energy_joules_total{origin=\"device\"})";

  private static final String COMPUTED =
      "max without (instance) (ecoflow_input_energy_joules_total{origin=\"computed\"})";

  /** A process of the fleet. */
  private record Member(String role, int port, Page page, ChildProcess process) {

    double own(String name, String... labels) {
      return page.series(name, labels).stream().mapToDouble(Series::value).sum();
    }

    void awaitConnected() {
      eventually(() -> assertEquals(1, own("mqtt_connected"), () -> "" + process.lines()));
    }

    void awaitReady() {
      eventually(
          () -> {
            String ready = new LocalHttp(port).get("/-/ready").body();
            assertTrue(ready.startsWith("ready"), () -> ready + process.lines());
          });
    }

    void stop() {
      process.signal("TERM");
      assertEquals(TERMINATED, process.exitCode());
      assertEquals(
          List.of(),
          process.lines().stream()
              .filter(line -> !line.matches(".*(creating the start-up archive| INFO ).*"))
              .toList());
    }
  }

  /** The numbers of the messages of an account that its collector could not receive. */
  private record Outage(String account, int first, int last) {

    boolean contains(int number) {
      return number >= first - ON_THE_WAY && number <= last;
    }
  }

  @RegisterExtension static final CloudExtension clouds = new CloudExtension();

  @TempDir private Path directory;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final Map<String, List<SimulatedDevice>> devices = new HashMap<>();
  private final AtomicInteger number = new AtomicInteger();
  private final AtomicBoolean isEnd = new AtomicBoolean();
  private final List<Member> servers = new ArrayList<>();
  private final List<Outage> outages = new ArrayList<>();

  /** The longest time until a server was ready, in seconds. */
  private double longestStart;

  private Distribution distribution;
  private KafkaBroker kafka;
  private AccountsYaml accounts;

  @AfterEach
  void stop() throws Exception {
    isEnd.set(true);
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private Path newDirectory(String name) throws Exception {
    return Files.createDirectory(directory.resolve(name));
  }

  private Member start(String role, int port, Map<String, String> more) {
    Map<String, String> variables = new HashMap<>(more);
    variables.put("ECOFLOW_ROLE", role);
    variables.put("EXPORTER_PORT", Integer.toString(port));
    variables.put("ECOFLOW_KAFKA_BROKERS", kafka.address());
    ChildProcess process =
        distribution.start(directory.resolve("log-" + role + "-" + open.size()), variables);
    open.add(process);
    return new Member(role, port, ExporterJar.pageAt(port), process);
  }

  private Member startServer(int port) {
    return start("serve", port, Map.of());
  }

  private Member startCollector(int shard, int port) {
    Map<String, String> variables = Variables.ofFile(accounts.file());
    variables.remove("ECOFLOW_METRICS");
    variables.put("ECOFLOW_CA_FILE", clouds.cloud().caFile().toString());
    variables.put("ECOFLOW_SHARD", shard + "/" + ACCOUNTS.size());
    return start("collect", port, variables);
  }

  /** The second account also has replies with all values. */
  private void addAccounts() {
    accounts = new AccountsYaml(directory.resolve("accounts.yml"));
    List<SimulatedAccount> logins =
        List.of(
            clouds.cloud().defaultAccount(), clouds.cloud().addAccount(CloudAccount.numbered(2)));
    for (int i = 0; i < ACCOUNTS.size(); i++) {
      String account = ACCOUNTS.get(i);
      accounts.add(account, i == 0 ? "mqtt" : "device", logins.get(i));
      List<SimulatedDevice> ofAccount = new ArrayList<>();
      for (int j = 0; j < DEVICES_PER_ACCOUNT; j++) {
        ofAccount.add(
            new SimulatedDevice(
                    "R331ROLL%d%07d".formatted(i, j), "Name " + j, "DELTA 2", WireFormat.JSON)
                .set(Map.of("pd.soc", 81)));
      }
      logins.get(i).add(ofAccount.toArray(SimulatedDevice[]::new));
      devices.put(account, ofAccount);
    }
    accounts.write();
  }

  private Stream<SimulatedDevice> allDevices() {
    return devices.values().stream().flatMap(List::stream);
  }

  private static long wattHours(int message) {
    return LIFETIME_WATT_HOURS + message;
  }

  /** All values of a message depend on its number, which is the same for all devices. */
  private void publishNext() {
    int next = number.incrementAndGet();
    String message =
        "{\"params\":{\"test.number\":%d,\"test.check\":%d,\"pd.chgSunPower\":%d,\"pd.wattsInSum\":%d}}"
            .formatted(next, 3 * next, wattHours(next), WATTS);
    allDevices().forEach(device -> device.publish(message));
  }

  private Thread load() {
    Thread thread =
        new Thread(
            () -> {
              while (!isEnd.get()) {
                publishNext();
                try {
                  Thread.sleep(1000 / MESSAGES_PER_SECOND);
                } catch (InterruptedException e) {
                  return;
                }
              }
            },
            "load");
    thread.start();
    return thread;
  }

  private Map<String, Double> numbers() {
    return servers.stream()
        .flatMap(server -> server.page().series("test_number").stream())
        .collect(Collectors.toMap(series -> series.labels().get("device"), Series::value));
  }

  private static PrometheusServer prometheus(
      Path data, List<Integer> servers, List<Integer> collectors) {
    return PrometheusServer.start(
        data, "scrape_configs:\n" + job("servers", servers) + job("collectors", collectors));
  }

  private static String job(String name, List<Integer> ports) {
    return "  - {job_name: %s, static_configs: [{targets: [%s]}]}%n"
        .formatted(
            name,
            ports.stream()
                .map(port -> "'127.0.0.1:" + port + "'")
                .collect(Collectors.joining(", ")));
  }

  @Test
  void pagesAndQueriesHaveNoWrongSample() throws Exception {
    assumeTrue(PrometheusServer.isInstalled(), "prometheus is not installed");
    distribution = Distribution.unpackedIn(directory);
    kafka = new KafkaBroker(newDirectory("kafka"));
    open.add(kafka);
    kafka.start();
    kafka.createTopics(PARTITIONS, "ecoflow.raw", "ecoflow.devices");
    kafka.createTopics(1, "ecoflow.unknown");
    addAccounts();
    List<Integer> ports = IntStream.range(0, 2 * SERVERS).mapToObj(i -> Ports.next()).toList();
    List<Integer> collectorPorts = ACCOUNTS.stream().map(account -> Ports.next()).toList();
    List<Member> collectors = new ArrayList<>();
    // The first process creates the start-up archive.
    collectors.add(startCollector(0, collectorPorts.get(0)));
    collectors.get(0).process().awaitLine(" INFO ");
    collectors.add(startCollector(1, collectorPorts.get(1)));
    for (int i = 0; i < SERVERS; i++) {
      servers.add(startServer(ports.get(i)));
    }
    PrometheusServer prometheus = prometheus(newDirectory("prometheus"), ports, collectorPorts);
    open.add(prometheus);
    collectors.forEach(Member::awaitConnected);
    servers.forEach(Member::awaitReady);
    eventually(() -> servers.forEach(server -> assertTrue(server.own("kafka_partitions") > 0)));
    publishNext();
    eventually(() -> assertEquals(DEVICES, numbers().size()));
    Thread load = load();
    awaitNumber(prometheus, 3 * MESSAGES_PER_SECOND);
    // A server can read the first message of a device before the record with the name.
    eventually(
        () -> {
          List<Sample> now = prometheus.query(NUMBERS);
          assertEquals(DEVICES, now.size(), now::toString);
          assertTrue(
              now.stream()
                  .allMatch(sample -> sample.labels().get("device_name").startsWith("Name ")),
              now::toString);
        });

    double start = System.currentTimeMillis() / 1000.0;
    Scraper scraper = new Scraper(servers.stream().map(Member::page).toList());
    open.add(scraper);
    for (int i = 0; i < SERVERS; i++) {
      long started = System.nanoTime();
      Member next = startServer(ports.get(SERVERS + i));
      servers.add(next);
      scraper.add(next.page());
      next.awaitReady();
      longestStart = Math.max(longestStart, (System.nanoTime() - started) / 1e9);
      assertTrue(next.own("kafka_partitions") > 0, "ready without partitions");
      Member oldest = servers.remove(0);
      oldest.stop();
      scraper.remove(oldest.page());
    }
    for (int i = 0; i < collectors.size(); i++) {
      int before = number.get();
      collectors.get(i).stop();
      Member restarted = startCollector(i, collectorPorts.get(i));
      restarted.awaitReady();
      String account = restarted.page().series("account_info").get(0).labels().get("account");
      outages.add(new Outage(account, before, number.get()));
      collectors.set(i, restarted);
    }
    // So that the end is at least a second after the gap.
    awaitNumber(prometheus, number.get() + 2 * MESSAGES_PER_SECOND);
    double end = System.currentTimeMillis() / 1000.0;
    isEnd.set(true);
    load.join();
    int last = number.get();
    eventually(() -> assertEquals(Set.of((double) last), Set.copyOf(numbers().values())));

    scraper.check();
    long messages = checkRecords(start, end, last);
    checkPrometheus(prometheus, start, end, last);
    checkCounters(prometheus, start, end, messages);
    System.out.printf(
        "rolling update in %.0f s: %s, longest start %.1f s%n",
        end - start, scraper.gaps(), longestStart);
  }

  private static void awaitNumber(PrometheusServer prometheus, int minimum) {
    eventually(
        () ->
            assertEquals(
                DEVICES,
                prometheus.query(NUMBERS).stream()
                    .filter(sample -> sample.value() >= minimum)
                    .count()));
  }

  /**
   * Kafka has each message once, except for those of the time without a collector.
   *
   * @return the number of records between two times
   */
  private long checkRecords(double start, double end, int last) {
    try (TopicReader raw = new TopicReader(kafka.address(), "ecoflow.raw")) {
      eventually(
          () ->
              assertEquals(
                  DEVICES, raw.records().stream().filter(one -> number(one) == last).count()));
      Map<String, List<Integer>> sent = new HashMap<>();
      raw.records().stream()
          .filter(one -> number(one) > 0)
          .forEach(
              one -> sent.computeIfAbsent(one.key(), key -> new ArrayList<>()).add(number(one)));
      for (Outage outage : outages) {
        for (SimulatedDevice device : devices.get(outage.account())) {
          List<Integer> numbers = sent.get(device.serial());
          assertEquals(numbers.stream().sorted().distinct().toList(), numbers);
          Set<Integer> missing =
              IntStream.rangeClosed(1, last).boxed().collect(Collectors.toCollection(HashSet::new));
          numbers.forEach(missing::remove);
          missing.removeIf(outage::contains);
          assertEquals(Set.of(), missing, () -> device.serial() + " " + outage);
        }
      }
      return raw.records().stream()
          .mapToDouble(one -> one.timestamp() / 1000.0)
          .filter(time -> time >= start && time < end)
          .count();
    }
  }

  private static int number(ConsumerRecord<String, byte[]> message) {
    String text = TopicReader.text(message);
    return text.contains("test.number")
        ? Integer.parseInt(text.replaceAll(".*number\":(\\d+).*", "$1"))
        : 0;
  }

  private void checkPrometheus(PrometheusServer prometheus, double start, double end, int last) {
    Map<String, Double> previous = new HashMap<>();
    Map<String, Double> seen = new HashMap<>();
    allDevices().forEach(device -> seen.put(device.serial(), start));
    double longest = 0;
    Map<String, Double> missing = new HashMap<>();
    for (double time = start; time < end; time += STEP_SECONDS) {
      for (Sample sample : prometheus.query(NUMBERS, time)) {
        String device = sample.labels().get("device");
        double gap = time - seen.put(device, time);
        longest = Math.max(longest, gap);
        missing.merge(device, Math.max(0, gap - STEP_SECONDS), Double::sum);
        Double before = previous.put(device, sample.value());
        assertTrue(before == null || sample.value() >= before, () -> before + " then " + sample);
      }
      for (String wrong :
          List.of(
              "ecoflow_test_check != on (instance, device) 3 * ecoflow_test_number",
              "ecoflow_test_number > " + last,
              "abs(ecoflow_solar_energy_joules_total / 3600 - 1000000 - on (instance, device)"
                  + " ecoflow_test_number) > 10",
              "ecoflow_online != 1")) {
        assertEquals(List.of(), prometheus.query(wrong, time), wrong);
      }
    }
    double longestGap = longest;
    double limit = MAX_GAP_SECONDS * Math.max(1, longestStart / MAX_START_SECONDS);
    assertTrue(longestGap <= limit, () -> longestGap + " s of " + limit + " s");

    String range = "[%ds:1s]".formatted((int) (end - start));
    // No value of a device is shown with other labels, such as a default name.
    List<Sample> shown = prometheus.query("last_over_time((%s)%s)".formatted(NUMBERS, range), end);
    assertEquals(DEVICES, shown.size(), shown::toString);
    Map<String, Double> first = byDevice(prometheus.query(ENERGY, start));
    Map<String, Double> total = byDevice(prometheus.query(ENERGY, end));
    increase(prometheus, ENERGY, range, end)
        .forEach((device, joules) -> assertNear(total.get(device) - first.get(device), joules));
    increase(prometheus, COMPUTED, range, end)
        .forEach(
            (device, joules) -> {
              double most = WATTS * (end - start);
              assertTrue(joules < most * MAX_FACTOR, () -> joules + " of " + most);
              double least = WATTS * (end - start - missing.get(device));
              assertTrue(joules > least * MIN_FACTOR, () -> joules + " of " + least);
            });
  }

  private static Map<String, Double> increase(
      PrometheusServer prometheus, String counter, String range, double end) {
    Map<String, Double> increase =
        byDevice(prometheus.query("increase((%s)%s)".formatted(counter, range), end));
    assertEquals(DEVICES, increase.size());
    return increase;
  }

  /**
   * Each message is counted once at a collector and once at a server. Prometheus does not see the
   * messages between the last scrape of a process and its end.
   */
  private static void checkCounters(
      PrometheusServer prometheus, double start, double end, long messages) {
    for (String counter :
        List.of(
            "ecoflow_kafka_sent_messages_total", "ecoflow_mqtt_messages_total{job=\"servers\"}")) {
      String increase = "sum(increase(%s[%ds]))".formatted(counter, (int) Math.ceil(end - start));
      assertNear(messages, prometheus.query(increase, end).get(0).value());
    }
  }

  private static void assertNear(double expected, double actual) {
    assertTrue(
        actual > expected * MIN_FACTOR && actual < expected * MAX_FACTOR,
        () -> actual + " instead of " + expected);
  }

  private static Map<String, Double> byDevice(List<Sample> samples) {
    return samples.stream()
        .collect(Collectors.toMap(sample -> sample.labels().get("device"), Sample::value));
  }
}
