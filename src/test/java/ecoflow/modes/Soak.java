package ecoflow.modes;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.ApiPath;
import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedAccount;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.AccountsYaml;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Runs the exporter with a cloud that fails at random, and compares each value on the page with the
 * values of the cloud.
 *
 * <p>Arguments: minutes with faults, mode (device, mqtt, open or rest), seed of the faults, seconds
 * without faults at the end, number of accounts. With accounts, each has one device, and random
 * accounts are removed from the accounts file and added again.
 */
public final class Soak {

  private static final int DEVICES = 50;
  private static final Duration STEP = Duration.ofMillis(500);

  /** Longer than the time for which the exporter can show a value. */
  private static final int KEPT_STEPS = 1_000;

  private static final Duration SCRAPE_INTERVAL = Duration.ofMillis(250);
  private static final int MAX_AGE_SECONDS = 6;

  /**
   * In addition to the age: the device list is cached for a second, and the machine can be busy.
   */
  private static final Duration TOLERANCE = Duration.ofSeconds(4);

  private static final Duration OLDEST = Duration.ofSeconds(MAX_AGE_SECONDS).plus(TOLERANCE);

  /**
   * Camel's pool for redeliveries has ten threads, which are created with the first redeliveries.
   */
  private static final int MAX_MORE_THREADS = 15;

  private static final int MORE_SERIES = 50;

  /** Each counter of an account can also be added for all accounts. */
  private static final int MORE_SERIES_OF_ACCOUNT = 10;

  /** HTTPS connections that are still open. */
  private static final int MAX_MORE_FILES = 100;

  private static final long MORE_HEAP = 16 << 20;
  private static final int MAX_SHOWN = 20;

  private static final List<String> PATHS =
      List.of(
          ApiPath.LOGIN,
          ApiPath.CERTIFICATION,
          ApiPath.OPEN_CERTIFICATION,
          ApiPath.ACCOUNT_DEVICES,
          ApiPath.DEVICE_LIST,
          ApiPath.QUOTA);

  private static final Pattern VALUE =
      Pattern.compile(
          "ecoflow_(?:pd_step|bms_cells|pow_in_sum_w|pow_out_sum_w)"
              + "\\{device=\"([^\"]+)\".*\\} (\\S+)");

  private final SimulatedCloud cloud = SimulatedCloud.start();

  /** Null without accounts. */
  private final AccountsYaml file;

  private final String mode;
  private final Random random;
  private final Map<String, Truth> truths = new TreeMap<>();
  private final List<String> violations = new ArrayList<>();
  private final Map<String, Integer> faults = new TreeMap<>();
  private final RunningExporter exporter;
  private volatile boolean ended;
  private long step = 1;
  private long scrapes;
  private long values;
  private long expected;
  private long oldestMillis;
  private long slowestScrapeMillis;

  /** The source of the values of a device; modes that poll can poll all devices. */
  private enum Channel {
    APP,
    DEVELOPERS,
    POLLS
  }

  /** The values of a device and their times. */
  private static final class Truth {

    final SimulatedDevice device;

    final Channel channel;

    /** The time of each value in nanoseconds; the values only increase. */
    final ConcurrentSkipListMap<Double, Long> since = new ConcurrentSkipListMap<>();

    final SimulatedAccount account;

    volatile long offlineSince;
    volatile boolean served = true;

    Truth(SimulatedAccount account, SimulatedDevice device, Channel channel) {
      this.account = account;
      this.device = device;
      this.channel = channel;
    }

    boolean isShown() {
      return served && device.isOnline();
    }

    /** Whether the account of the device is in the accounts file. */
    synchronized void setServed(boolean served) {
      this.served = served;
      offlineSince = System.nanoTime();
    }

    synchronized void move(long step) {
      if (!device.isOnline()) {
        return;
      }
      // A device that was off for long returns its last value once more.
      double last = since.isEmpty() ? step : since.lastKey();
      since.put((double) step, System.nanoTime());
      since.headMap(Math.min(last, step - KEPT_STEPS)).clear();
      Map<String, ?> values =
          device.format() == WireFormat.JSON
              ? Map.of("pd.step", step, "bms.cells", List.of(step, step))
              : Map.of("powInSumW", (float) step, "powOutSumW", (float) step);
      switch (channel) {
        case APP -> device.push(values);
        case POLLS -> device.set(values);
        case DEVELOPERS -> {
          device.set(values);
          device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"step\":" + step + "}}");
        }
      }
    }

    synchronized void setOnline(boolean online) {
      device.setOnline(online);
      if (channel != Channel.APP) {
        device.publishOpenStatus(online);
      }
      offlineSince = System.nanoTime();
    }

    void publish(byte[] bytes) {
      if (channel == Channel.APP) {
        device.publish(bytes);
      } else {
        device.publishOpen(new String(bytes, StandardCharsets.ISO_8859_1));
      }
    }
  }

  private Soak(String mode, long seed, int accounts) {
    this.mode = mode;
    file = accounts > 0 ? new AccountsYaml(temporaryFile()) : null;
    random = new Random(seed);
    boolean open = mode.equals("open");
    WireFormat[] formats = open ? new WireFormat[] {WireFormat.JSON} : WireFormat.values();
    for (int i = 0; i < (accounts > 0 ? accounts : DEVICES); i++) {
      WireFormat format = formats[i % formats.length];
      String serial =
          String.format("SOAK%s%04d", format.name().replace("_", "").substring(0, 4), i);
      SimulatedDevice device = new SimulatedDevice(serial, "Device " + i, "Model", format);
      SimulatedAccount account =
          accounts > 0 ? cloud.addAccount(CloudAccount.numbered(i + 1)) : cloud.defaultAccount();
      account.add(device);
      if (accounts > 0) {
        file.add(serial, mode, account);
      }
      Channel channel = !open ? Channel.APP : i % 2 == 0 ? Channel.DEVELOPERS : Channel.POLLS;
      truths.put(serial, new Truth(account, device, channel));
    }
    move();
    exporter =
        RunningExporter.start(
            variables(
                mode,
                "MQTT_TIMEOUT=" + MAX_AGE_SECONDS,
                "COLLECTING_INTERVAL=1",
                "DEVICE_LIST_CACHE_TTL=1",
                "QUOTA_REQUEST_INTERVAL=2",
                "ECOFLOW_FULL_INTERVAL=2",
                "ECOFLOW_PUSH_LEAD=2",
                "IDLE_CHECK_INTERVAL=1",
                "MAX_RECONNECT_DELAY=2",
                "HTTP_TIMEOUT=3",
                "ESTABLISH_ATTEMPTS=1000",
                "LOG_LEVEL=ERROR"));
  }

  private Map<String, String> variables(String mode, String... more) {
    if (file == null) {
      return Variables.of(cloud, mode, more);
    }
    Map<String, String> variables = Variables.ofFile(file.write().file(), more);
    variables.put("ECOFLOW_CA_FILE", cloud.caFile().toString());
    variables.put("ECOFLOW_LOGIN_RATE", "100");
    variables.put("ECOFLOW_LOGIN_BURST", "100");
    return variables;
  }

  private static Path temporaryFile() {
    try {
      return Files.createTempDirectory("soak").resolve("accounts.yml");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static void main(String[] args) throws InterruptedException {
    double minutes = args.length > 0 ? Double.parseDouble(args[0]) : 20;
    String mode = args.length > 1 ? args[1] : "device";
    long seed = args.length > 2 ? Long.parseLong(args[2]) : 1;
    Duration calm = Duration.ofSeconds(args.length > 3 ? Long.parseLong(args[3]) : 60);
    int accounts = args.length > 4 ? Integer.parseInt(args[4]) : 0;
    System.out.printf(
        "Soak: mode %s, %s minutes of faults, seed %d, %s%n",
        mode, minutes, seed, accounts > 0 ? accounts + " accounts" : "one account");
    Soak soak = new Soak(mode, seed, accounts);
    boolean well = soak.run(Duration.ofMillis((long) (minutes * 60_000)), calm);
    System.exit(well ? 0 : 1);
  }

  private record Footprint(int threads, long heap, long series, long files) {}

  private boolean run(Duration faulty, Duration calm) throws InterruptedException {
    Thread watch = new Thread(this::watchEnd, "soak-end");
    watch.setDaemon(true);
    watch.start();
    ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
    clock.scheduleAtFixedRate(this::move, 0, STEP.toMillis(), TimeUnit.MILLISECONDS);
    clock.scheduleWithFixedDelay(
        this::scrape, 2_000, SCRAPE_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);

    eventually(() -> assertEquals(List.of(), missingValues()));
    Thread.sleep(calm.dividedBy(3).toMillis());
    Footprint before = footprint();
    long end = System.nanoTime() + faulty.toNanos();
    while (System.nanoTime() < end) {
      fault();
      Thread.sleep(500 + random.nextInt(2_500));
    }
    cloud.faults().clear();
    cloud.startBroker();
    truths.values().forEach(truth -> truth.setOnline(true));
    truths.values().stream().filter(truth -> !truth.served).forEach(this::addOrRemove);
    Thread.sleep(calm.toMillis());
    Footprint after = footprint();
    missingValues().forEach(wrong -> violation(wrong + " after the calm"));
    clock.shutdown();
    clock.awaitTermination(10, TimeUnit.SECONDS);
    boolean well = report(before, after);
    ended = true;
    exporter.close();
    cloud.close();
    return well;
  }

  private void watchEnd() {
    int code = exporter.awaitEnd();
    if (!ended) {
      violation("the exporter ended with code " + code);
    }
  }

  private synchronized void violation(String text) {
    if (violations.size() < MAX_SHOWN) {
      System.out.println("VIOLATION: " + text);
    }
    violations.add(text);
  }

  private void move() {
    step++;
    truths.values().forEach(truth -> truth.move(step));
  }

  // Faults

  private void fault() throws InterruptedException {
    List<Truth> all = List.copyOf(truths.values());
    Truth one = all.get(random.nextInt(all.size()));
    String kind;
    switch (random.nextInt(file == null ? 9 : 13)) {
      case 0 -> {
        kind = "broker restart";
        cloud.stopBroker();
        Thread.sleep(random.nextInt(3_000));
        cloud.startBroker();
      }
      case 1 -> {
        kind = "kick";
        cloud.kickClients();
      }
      case 2 -> {
        kind = "new credentials";
        all.forEach(truth -> truth.account.rotateCredentials());
        if (random.nextBoolean()) {
          cloud.expireTokens();
        }
        cloud.kickClients();
      }
      case 3, 4 -> {
        kind = "HTTP fault";
        Fault fault = httpFault();
        PATHS.forEach(path -> cloud.faults().always(path, fault));
        Thread.sleep(random.nextInt(3_000));
        cloud.faults().clear();
      }
      case 5 -> {
        kind = "HTTP down";
        cloud.stopHttp();
        Thread.sleep(random.nextInt(2_000));
        cloud.startHttp();
      }
      case 6, 7 -> {
        kind = "device off or on";
        one.setOnline(!one.device.isOnline());
      }
      case 9, 10, 11, 12 -> {
        kind = "account added or removed";
        addOrRemove(one);
      }
      default -> {
        kind = "bad messages";
        for (int i = 0; i < 20; i++) {
          all.get(random.nextInt(all.size())).publish(badMessage());
        }
      }
    }
    faults.merge(kind, 1, Integer::sum);
    if (faults.values().stream().mapToInt(Integer::intValue).sum() % 20 == 0) {
      cloud.clearHistory();
    }
  }

  private void addOrRemove(Truth truth) {
    String name = truth.device.serial();
    if (truth.served) {
      file.remove(name).write();
    } else {
      file.add(name, mode, truth.account).write();
    }
    truth.setServed(!truth.served);
  }

  private Fault httpFault() {
    return switch (random.nextInt(8)) {
      case 0 -> Fault.status(500);
      case 1 -> Fault.status(503).withHeader("Retry-After", "1");
      case 2 -> Fault.status(429);
      case 3 -> Fault.malformedBody();
      case 4 -> Fault.closeConnection();
      case 5 -> Fault.dataNull();
      case 6 -> Fault.delay(Duration.ofSeconds(1 + random.nextInt(4)));
      default -> Fault.code("8521", "signature is wrong");
    };
  }

  private byte[] badMessage() {
    byte[] bytes = new byte[random.nextInt(300)];
    random.nextBytes(bytes);
    if (bytes.length > 0 && random.nextBoolean()) {
      bytes[0] = '{';
    }
    return bytes;
  }

  // Checks

  private void scrape() {
    try {
      long started = System.nanoTime();
      String page = exporter.page().text();
      slowestScrapeMillis =
          Math.max(slowestScrapeMillis, (System.nanoTime() - started) / 1_000_000);
      scrapes++;
      truths.values().forEach(truth -> expected += truth.isShown() ? series(truth) : 0);
      page.lines().map(VALUE::matcher).filter(Matcher::matches).forEach(m -> check(m, started));
    } catch (RuntimeException e) {
      violation("/metrics does not answer: " + e);
    }
  }

  private static int series(Truth truth) {
    return truth.device.format() == WireFormat.JSON ? 3 : 2;
  }

  private void check(Matcher series, long asked) {
    values++;
    Truth truth = truths.get(series.group(1));
    double value = Double.parseDouble(series.group(2));
    if (truth == null || !truth.since.containsKey(value)) {
      violation("a value that the cloud did not have lately: " + series.group());
      return;
    }
    Map.Entry<Double, Long> next = truth.since.higherEntry(value);
    long replaced = next == null ? Long.MAX_VALUE : next.getValue();
    // While a device is offline, its last value is no longer valid.
    long ended = truth.isShown() ? replaced : Math.min(replaced, truth.offlineSince);
    long age = Math.max(0, asked - ended);
    oldestMillis = Math.max(oldestMillis, age / 1_000_000);
    if (age > OLDEST.toNanos()) {
      violation("a value that is " + age / 1_000_000 + " ms old: " + series.group());
    }
  }

  /** Errors in the number of values of each device; all devices are online. */
  private List<String> missingValues() {
    String page = exporter.page().text();
    List<String> wrong = new ArrayList<>();
    for (Truth truth : truths.values()) {
      long shown =
          page.lines()
              .map(VALUE::matcher)
              .filter(Matcher::matches)
              .filter(series -> series.group(1).equals(truth.device.serial()))
              .count();
      if (shown != series(truth)) {
        wrong.add(truth.device.serial() + " shows " + shown + " values");
      }
    }
    return wrong;
  }

  private Footprint footprint() throws InterruptedException {
    cloud.clearHistory();
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(300);
    }
    long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    long series = exporter.page().text().lines().filter(line -> !line.startsWith("#")).count();
    return new Footprint(
        threads().values().stream().mapToInt(i -> i).sum(), heap, series, openFiles());
  }

  /** Those of the exporter and of the cloud. */
  private static long openFiles() {
    String[] names = new File("/proc/self/fd").list();
    return names == null ? 0 : names.length;
  }

  /** The number of threads, except those of the cloud, by name without digits. */
  private static Map<String, Integer> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(
            name -> !name.matches("simulated-cloud.*|nioEventLoop.*|Session.*|HTTP-Disp.*|idle.*"))
        .map(name -> name.replaceAll("[0-9]+", "N"))
        .collect(Collectors.toMap(name -> name, name -> 1, Integer::sum, TreeMap::new));
  }

  private int maxMoreSeries() {
    return MORE_SERIES + (file == null ? 0 : truths.size() * MORE_SERIES_OF_ACCOUNT);
  }

  private int maxFewerSeries() {
    return file == null ? 0 : truths.size() * MORE_SERIES_OF_ACCOUNT;
  }

  private boolean report(Footprint before, Footprint after) {
    if (after.threads() > before.threads() + MAX_MORE_THREADS) {
      violation("threads: " + before.threads() + " before, " + after.threads() + " after");
      threads().forEach((name, count) -> System.out.println("  " + count + " " + name));
    }
    if (after.heap() > before.heap() + MORE_HEAP) {
      violation("heap: " + before.heap() + " before, " + after.heap() + " after");
    }
    if (after.files() > before.files() + MAX_MORE_FILES) {
      violation("open files: " + before.files() + " before, " + after.files() + " after");
    }
    // Counters of new kinds of messages can be added, and are removed only with their account.
    if (after.series() < before.series() - maxFewerSeries()
        || after.series() > before.series() + maxMoreSeries()) {
      violation("series: " + before.series() + " before, " + after.series() + " after");
    }
    System.out.printf(
        "scrapes %d, slowest %d ms%n"
            + "values checked %d, %.1f %% of those of devices that were on%n"
            + "oldest value shown %.1f s (allowed %d s)%n"
            + "faults %s%n"
            + "threads %d -> %d, heap %.1f -> %.1f MB, series %d -> %d, open files %d -> %d%n"
            + "violations %d%n",
        scrapes,
        slowestScrapeMillis,
        values,
        100.0 * values / expected,
        oldestMillis / 1000.0,
        OLDEST.toSeconds(),
        faults,
        before.threads(),
        after.threads(),
        before.heap() / 1048576.0,
        after.heap() / 1048576.0,
        before.series(),
        after.series(),
        before.files(),
        after.files(),
        violations.size());
    return violations.isEmpty();
  }
}
