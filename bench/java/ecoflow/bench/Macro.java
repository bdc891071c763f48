package ecoflow.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;

/**
 * Measures exporters as separate processes, with a real broker with TLS and the simulated cloud, in
 * mode Device API. Prints a table without limits.
 */
public final class Macro {

  /** The rows that --only can select. */
  private enum Row {
    JSON30,
    JSON170,
    FRAME40,
    FRAME250,
    SCRAPE,
    START,
    IDLE,
    DEVICES,
    ACCOUNTS
  }

  private static final String JAR = "java -jar target/ecoflow-exporter.jar";
  private static final String TOPIC = "/app/device/property/";
  private static final int CHUNK = 10;

  /** Messages per second: far more than a device sends, and few enough that none is dropped. */
  private static final int RATE = 1_000;

  private static final int MEASURED = 20_000;

  /** Messages between the measurements, during which a just-in-time compiler is at work. */
  private static final int SETTLING = 60_000;

  /**
   * A short interval, so that an exporter that updates its page only at intervals does not appear
   * slow.
   */
  private static final Map<String, String> OFTEN = Map.of("COLLECTING_INTERVAL", "1");

  /** The answer of the device to requests while its pushes are measured. */
  private static final String SHORT_ANSWER = "{\"pd.answered\":1}";

  private static final int SCRAPED_SERIES = 353;
  private static final int DEVICES = 1_000;
  private static final int SERIES_OF_EACH = 300;
  private static final int ACCOUNTS = 1_000;

  private final Benchmark<Row> benchmark;
  private final Options<Row> options;
  private final Bed bed;
  private final Publisher publisher;
  private final Table table;

  private Macro(Benchmark<Row> benchmark, Bed bed, Publisher publisher) {
    this.benchmark = benchmark;
    this.options = benchmark.options();
    this.bed = bed;
    this.publisher = publisher;
    this.table = benchmark.table();
  }

  /** Options as in {@link Options.Program#usage}. */
  public static void main(String[] arguments) throws Exception {
    Benchmark.main(
        new Options.Program<>("bench/macro", Row.class, JAR, JAR),
        arguments,
        benchmark -> {
          try (Bed bed = new Bed(benchmark.directory());
              Publisher publisher = bed.publisher()) {
            new Macro(benchmark, bed, publisher).measure();
          }
        });
  }

  private void measure() throws Exception {
    for (Row row : options.rows()) {
      switch (row) {
        case JSON30 ->
            benchmark.each(row, options.rounds(), i -> load(i, "JSON 30 keys", Push.json(30)));
        case JSON170 ->
            benchmark.each(row, options.rounds(), i -> load(i, "JSON 170 keys", Push.json(170)));
        case FRAME40 ->
            benchmark.each(row, options.rounds(), i -> load(i, "frame 40 fields", Push.frame(40)));
        case FRAME250 ->
            benchmark.each(
                row, options.rounds(), i -> load(i, "frame 250 fields", Push.frame(250)));
        case SCRAPE -> {
          warmUpScraper();
          benchmark.each(row, options.rounds(), this::scrape);
        }
        case START -> benchmark.each(row, options.size(11, 3), this::start);
        case IDLE -> benchmark.each(row, 1, this::idle);
        case DEVICES -> benchmark.each(row, 1, this::devices);
        case ACCOUNTS ->
            benchmark.each(
                row,
                1,
                i ->
                    new AccountsRow(bed, benchmark.directory(), table, i, options.commands().get(i))
                        .measure(options.size(ACCOUNTS, ACCOUNTS / 20), options.size(60, 20)));
      }
    }
  }

  private Exporter launch(int command, Map<String, String> more) throws IOException {
    return Exporter.start(bed, options.commands().get(command), Bed.SERIAL, more);
  }

  /** Pushes until the exporter shows the value, because its subscriptions can be late. */
  private void awaitPushed(Exporter exporter, Push push, String serial, int number)
      throws InterruptedException {
    exporter.await(
        "push on the page",
        50,
        page -> {
          boolean there = Exporter.value(push.series(), push.shown(number)).in(page);
          if (!there) {
            send(push, serial, number);
          }
          return there;
        });
  }

  private void send(Push push, String serial, int number) {
    try {
      publisher.publish(TOPIC + serial, push.bytes(number));
      publisher.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Publishes at a constant rate, and waits until the page has the last value. A higher rate would
   * measure how the exporter limits a device that sends too many messages, because it drops some.
   */
  private void load(Exporter exporter, Push push, int from, int count)
      throws IOException, InterruptedException {
    String topic = TOPIC + Bed.SERIAL;
    long start = System.nanoTime();
    for (int published = 0; published < count; published++) {
      publisher.publish(topic, push.bytes(from + published));
      if (published % CHUNK == 0) {
        publisher.flush();
        long due = start + TimeUnit.SECONDS.toNanos(published) / RATE;
        while (System.nanoTime() < due) {
          Thread.sleep(1);
        }
      }
    }
    publisher.flush();
    exporter.await(
        "last value", 20, 300, Exporter.value(push.series(), push.shown(from + count - 1)));
  }

  /**
   * Fails if the exporter counts messages and some are missing. The last value does not show
   * whether earlier values were lost.
   */
  private static void checkNothingLost(Exporter exporter, int sent) throws IOException {
    double counted = Scraper.once(exporter.port(), false, true).sum("mqtt_messages_total");
    if (counted > 0 && counted < sent) {
      throw new IllegalStateException(counted + " messages of " + sent);
    }
  }

  private void load(int command, String what, Push push) throws Exception {
    int count = options.size(MEASURED, MEASURED / 10);
    int settling = options.size(SETTLING, SETTLING / 10);
    String name = what + " (" + push.length() + " bytes): ";
    bed.setAnswer(SHORT_ANSWER);
    try (Exporter exporter = launch(command, OFTEN)) {
      awaitPushed(exporter, push, Bed.SERIAL, 1);
      AtomicBoolean over = new AtomicBoolean();
      Future<Double> max = Benchmark.inBackground(() -> maxMemory(exporter, over));
      double cpu = exporter.cpuSeconds();
      load(exporter, push, 2, count);
      double cold = exporter.cpuSeconds();
      load(exporter, push, 2 + count, settling);
      double settled = exporter.cpuSeconds();
      load(exporter, push, 2 + count + settling, count);
      double warm = exporter.cpuSeconds();
      over.set(true);
      checkNothingLost(exporter, 2 * count + settling);
      table.add(name + "CPU ms/message, the first " + count, command, (cold - cpu) * 1000 / count);
      table.add(
          name + "CPU ms/message, after " + (count + settling),
          command,
          (warm - settled) * 1000 / count);
      table.add(name + "maximum RSS MB", command, max.get());
    }
  }

  private static double maxMemory(Exporter exporter, AtomicBoolean over)
      throws InterruptedException {
    double max = 0;
    while (!over.get() && exporter.isAlive()) {
      max = Math.max(max, exporter.rssMegabytes());
      Thread.sleep(200);
    }
    return max;
  }

  /** Warms up this process, because the first measured exporter would otherwise appear slow. */
  private void warmUpScraper() throws Exception {
    try (Exporter exporter = launchToScrape(0)) {
      warmUp(exporter.port(), 3 * scrapes());
    }
  }

  private Exporter launchToScrape(int command) throws Exception {
    Push push = Push.json(SCRAPED_SERIES);
    // The answers keep the device online.
    bed.setAnswer(push.quotas());
    Exporter exporter = launch(command, Map.of());
    try {
      awaitPushed(exporter, push, Bed.SERIAL, 1);
      return exporter;
    } catch (Exception e) {
      exporter.close();
      throw e;
    }
  }

  private int scrapes() {
    return options.size(1_000, 200);
  }

  private static void warmUp(int port, int count) throws IOException {
    times(2 * count, port, false);
    kept(count, port);
    times(count, port, true);
  }

  private void scrape(int command) throws Exception {
    int count = scrapes();
    try (Exporter exporter = launchToScrape(command)) {
      int port = exporter.port();
      warmUp(port, count);
      String name = "scrape of " + SCRAPED_SERIES + " device series: ";
      Scraper.Page page = Scraper.once(port, false, false);
      table.add(name + "page kB", command, page.bytes() / 1024.0);
      List<Double> fresh = times(count, port, false);
      table.add(name + "new connection ms, median", command, Table.median(fresh));
      table.add(name + "new connection ms, p99", command, Table.quantile(fresh, 0.99));
      List<Double> kept = kept(count, port);
      table.add(name + "kept connection ms, median", command, Table.median(kept));
      table.add(name + "kept connection ms, p99", command, Table.quantile(kept, 0.99));
      List<Double> gzip = times(count, port, true);
      table.add(name + "gzip, new connection ms, median", command, Table.median(gzip));
      double cpu = exporter.cpuSeconds();
      times(count, port, false);
      table.add(name + "CPU ms", command, (exporter.cpuSeconds() - cpu) * 1000 / count);
      List<Double> crowd = new ArrayList<>();
      for (List<Double> one : atOnce(10, () -> times(count / 5, port, false))) {
        crowd.addAll(one);
      }
      table.add(name + "10 clients at once ms, p99", command, Table.quantile(crowd, 0.99));
    }
  }

  /** Durations of scrapes over new connections, in milliseconds. */
  private static List<Double> times(int count, int port, boolean gzip) throws IOException {
    List<Double> times = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long start = System.nanoTime();
      check(Scraper.once(port, gzip, false));
      times.add((System.nanoTime() - start) / 1e6);
    }
    return times;
  }

  /** Durations of scrapes over one connection, in milliseconds; empty if the server closes it. */
  private static List<Double> kept(int count, int port) throws IOException {
    List<Double> times = new ArrayList<>();
    try (Scraper scraper = new Scraper(port)) {
      for (int i = 0; i < count && !scraper.isClosedByServer(); i++) {
        long start = System.nanoTime();
        check(scraper.get(false, false));
        times.add((System.nanoTime() - start) / 1e6);
      }
      return scraper.isClosedByServer() ? List.of() : times;
    }
  }

  static void check(Scraper.Page page) {
    if (page.status() != 200 || page.bytes() == 0) {
      throw new IllegalStateException("a scrape with status " + page.status());
    }
  }

  private static <T> List<T> atOnce(int clients, Callable<T> task)
      throws InterruptedException, ExecutionException {
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> one :
          threads.invokeAll(IntStream.range(0, clients).mapToObj(i -> task).toList())) {
        results.add(one.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }

  private void start(int command) throws Exception {
    Push push = Push.json(30);
    bed.setAnswer(push.quotas());
    try (Exporter exporter = launch(command, Map.of())) {
      long page = exporter.await("page", 2, any -> true);
      long gauge = exporter.await("gauge", 5, any -> any.value(push.series()).isPresent());
      table.add("launch to the first page ms", command, (page - exporter.startedAt()) / 1e6);
      table.add(
          "launch to the first device gauge ms", command, (gauge - exporter.startedAt()) / 1e6);
      table.add("CPU s until then", command, exporter.cpuSeconds());
    }
  }

  /** A household: one push per 5 s, one scrape per 15 s, one answer per 30 s. */
  private void idle(int command) throws Exception {
    Push push = Push.json(30);
    bed.setAnswer(Push.json(SCRAPED_SERIES).quotas());
    int memoryAt = options.size(60, 20);
    int from = options.size(120, 30);
    int seconds = options.size(60, 30);
    try (Exporter exporter = launch(command, Map.of())) {
      AtomicBoolean over = new AtomicBoolean();
      Future<Void> household = Benchmark.inBackground(() -> household(exporter, push, over));
      Benchmark.pause(memoryAt);
      String name = "one device, after " + memoryAt + " s: ";
      table.add(name + "RSS MB", command, exporter.rssMegabytes());
      table.add(name + "PSS MB", command, exporter.pssMegabytes());
      table.add(name + "threads", command, exporter.threads());
      Benchmark.pause(from - memoryAt);
      double cpu = exporter.cpuSeconds();
      Benchmark.pause(seconds);
      table.add(
          "one device, after " + from + " s: CPU s per minute",
          command,
          (exporter.cpuSeconds() - cpu) * 60 / seconds);
      over.set(true);
      household.get();
    }
  }

  private Void household(Exporter exporter, Push push, AtomicBoolean over) throws Exception {
    awaitPushed(exporter, push, Bed.SERIAL, 1);
    for (int second = 0; !over.get() && exporter.isAlive(); second++) {
      if (second % 5 == 0) {
        send(push, Bed.SERIAL, 2 + second);
      }
      if (second % 15 == 0) {
        check(Scraper.once(exporter.port(), false, false));
      }
      Benchmark.pause(1);
    }
    return null;
  }

  /** Many devices in a small heap. */
  private void devices(int command) throws Exception {
    Push push = Push.json(SERIES_OF_EACH);
    List<String> serials =
        IntStream.range(0, options.size(DEVICES, DEVICES / 5))
            .mapToObj("R331ZMANY%07d"::formatted)
            .toList();
    bed.setAnswer("");
    Map<String, String> heap = Map.of("JAVA_TOOL_OPTIONS", "-Xmx256m");
    try (Exporter exporter =
        Exporter.start(bed, options.commands().get(command), String.join(",", serials), heap)) {
      awaitPushed(exporter, push, serials.get(0), 1);
      AtomicBoolean over = new AtomicBoolean();
      Future<Void> pushes = Benchmark.inBackground(() -> pushAll(exporter, push, serials, over));
      awaitQuiet(exporter);
      String name =
          serials.size() + " devices with " + SERIES_OF_EACH + " series each, 256 MB heap: ";
      long wanted = (long) serials.size() * SERIES_OF_EACH;
      List<Double> times = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        times.add(large(exporter, wanted));
      }
      table.add(name + "first scrape ms", command, times.get(0));
      table.add(name + "scrape ms, median of 10", command, Table.median(times));
      List<Double> crowd = atOnce(10, () -> large(exporter, wanted));
      table.add(name + "10 scrapes at once, slowest ms", command, Table.quantile(crowd, 1));
      table.add(name + "RSS MB", command, exporter.rssMegabytes());
      over.set(true);
      pushes.get();
    }
  }

  /** Keeps the devices online. */
  private Void pushAll(Exporter exporter, Push push, List<String> serials, AtomicBoolean over)
      throws Exception {
    for (int number = 2; !over.get() && exporter.isAlive(); number++) {
      for (String serial : serials) {
        send(push, serial, number);
      }
      for (int second = 0; second < 20 && !over.get(); second++) {
        Benchmark.pause(1);
      }
    }
    return null;
  }

  /** Waits until the exporter uses little CPU time for a second: the pushed values are stored. */
  private static void awaitQuiet(Exporter exporter) throws InterruptedException {
    double before;
    double now = exporter.cpuSeconds();
    do {
      before = now;
      Benchmark.pause(1);
      now = exporter.cpuSeconds();
    } while (now - before > 0.1);
  }

  /** Duration of one scrape that must contain all series, in milliseconds. */
  private static double large(Exporter exporter, long wanted) throws IOException {
    long start = System.nanoTime();
    Scraper.Page page = Scraper.once(exporter.port(), false, false);
    double millis = (System.nanoTime() - start) / 1e6;
    check(page);
    if (page.series() < wanted) {
      throw new IllegalStateException(page.series() + " series of " + wanted);
    }
    return millis;
  }
}
