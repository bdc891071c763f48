package ecoflow.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Three servers with many devices, whose records this program writes instead of collectors. */
final class ManyDevicesRow {

  private static final int SERVERS = 3;
  private static final int REPLAY_SECONDS = 120;
  private static final int SCRAPE_SECONDS = 15;
  private static final String HEAP = "-Xmx1g";
  private static final double MOST = 0.95;
  private static final double ROUNDING = 1e-9;
  private static final long TIMEOUT = TimeUnit.MINUTES.toNanos(5);
  private static final long VALUE_TIMEOUT = TimeUnit.SECONDS.toNanos(20);
  private static final String AGES = "kafka_message_age_seconds_bucket";

  private final FleetBed fleet;
  private final Table table;
  private final int column;
  private final String command;
  private final Population population;
  private final String name;
  private final Map<Integer, Integer> probes;
  private final Map<Integer, Integer> sizes;
  private final List<Exporter> servers = new ArrayList<>();
  private String prefix = "";

  ManyDevicesRow(FleetBed fleet, Table table, int column, String command, Population population) {
    this.fleet = fleet;
    this.table = table;
    this.column = column;
    this.command = command;
    this.population = population;
    this.name =
        population.size() + " devices on " + SERVERS + " servers, " + population.metrics() + ": ";
    this.probes = population.probes();
    this.sizes = population.sizes();
  }

  private void add(String line, double value) {
    table.add(name + line, column, value);
  }

  void measure(boolean quick) throws Exception {
    prefix = fleet.createTopics();
    double emptyRss;
    double emptyHeap;
    try (Exporter empty = start()) {
      empty.awaitReady(TIMEOUT);
      Benchmark.pause(20);
      emptyRss = empty.rssMegabytes();
      emptyHeap = empty.heapMegabytes();
    }
    prefix = fleet.createTopics();
    try (RecordWriter writer = fleet.writer(prefix)) {
      population.writeHistory(writer, REPLAY_SECONDS);
      try (LiveDevices live = new LiveDevices(population, writer)) {
        long start = System.nanoTime();
        for (int i = 0; i < SERVERS; i++) {
          servers.add(start());
        }
        log(owners(all()), start);
        awaitBalance();
        add("start until all devices are shown s", (System.nanoTime() - start) / 1e9);
        steady(writer, quick ? 20 : 60);
        memory(emptyRss, emptyHeap);
        takeOver("killed", Exporter::kill);
        servers.add(start());
        awaitBalance();
        takeOver("stopped", server -> Benchmark.inBackground(() -> stop(server)));
        live.check();
      } finally {
        servers.forEach(Exporter::close);
        servers.clear();
      }
    }
  }

  private static Void stop(Exporter server) {
    server.close();
    return null;
  }

  private Exporter start() throws IOException {
    return fleet.start(
        command,
        "serve",
        prefix,
        "",
        HEAP,
        Map.of(
            "ECOFLOW_METRICS",
            population.metrics(),
            "ECOFLOW_REPLAY",
            Integer.toString(REPLAY_SECONDS)));
  }

  private static List<Integer> all() {
    List<Integer> all = new ArrayList<>();
    for (int partition = 0; partition < FleetBed.PARTITIONS; partition++) {
      all.add(partition);
    }
    return all;
  }

  /** The server that shows the devices of a partition. */
  private Optional<Exporter> owner(int partition) {
    String account = population.account(probes.get(partition));
    for (Exporter server : servers) {
      try {
        Scraper.Page page = Scraper.account(server.port(), account);
        if (page.status() == 200 && page.value(population.series()).isPresent()) {
          return Optional.of(server);
        }
      } catch (IOException e) {
        // Not started yet.
      }
    }
    return Optional.empty();
  }

  /** System.nanoTime at which the devices of each partition were first shown. */
  private Map<Integer, Long> owners(List<Integer> partitions) throws InterruptedException {
    Map<Integer, Long> shown = new LinkedHashMap<>();
    List<Integer> missing = new ArrayList<>(partitions);
    long end = System.nanoTime() + TIMEOUT;
    while (!missing.isEmpty()) {
      for (Integer partition : List.copyOf(missing)) {
        if (owner(partition).isPresent()) {
          shown.put(partition, System.nanoTime());
          missing.remove(partition);
        }
      }
      if (System.nanoTime() > end) {
        throw new IllegalStateException("partitions without a server: " + missing);
      }
      Thread.sleep(20);
    }
    return shown;
  }

  private static void log(Map<Integer, Long> shown, long start) {
    shown.forEach(
        (partition, at) ->
            System.err.printf("partition %d after %.1f s%n", partition, (at - start) / 1e9));
  }

  /** Waits until all servers have the same number of partitions and show their devices. */
  private void awaitBalance() throws InterruptedException {
    for (Exporter server : servers) {
      server.awaitReady(TIMEOUT);
    }
    long end = System.nanoTime() + TIMEOUT;
    while (true) {
      Map<Exporter, Integer> counts = new LinkedHashMap<>();
      for (int partition : all()) {
        owner(partition).ifPresent(server -> counts.merge(server, 1, Integer::sum));
      }
      if (counts.size() == servers.size()
          && counts.values().stream().allMatch(n -> n == FleetBed.PARTITIONS / servers.size())) {
        return;
      }
      if (System.nanoTime() > end) {
        throw new IllegalStateException("not balanced: " + counts.values());
      }
      Thread.sleep(200);
    }
  }

  private void steady(RecordWriter writer, int seconds) throws Exception {
    Map<Double, Double> agesBefore = ages();
    double cpu = cpuSeconds();
    double kafka = fleet.kafkaCpuSeconds();
    long start = System.nanoTime();
    AtomicBoolean over = new AtomicBoolean();
    Future<List<Double>> scrapes = Benchmark.inBackground(() -> scrape(over));
    List<Double> times = new ArrayList<>();
    for (int sample = 0; System.nanoTime() - start < TimeUnit.SECONDS.toNanos(seconds); sample++) {
      times.add(toPage(writer, sample));
      Benchmark.pause(0.1);
    }
    double measured = (System.nanoTime() - start) / 1e9;
    over.set(true);
    List<Double> durations = scrapes.get();
    add("record to page ms, p50", Table.quantile(times, 0.5));
    add("record to page ms, p99 of " + times.size(), Table.quantile(times, 0.99));
    Map<Double, Double> ages = ages();
    ages.replaceAll((bound, count) -> count - agesBefore.getOrDefault(bound, 0.0));
    add("record to store ms, at most, p50", 1000 * upperBound(ages, 0.5));
    add("record to store ms, at most, p99", 1000 * upperBound(ages, 0.99));
    double perMinute = 60 / measured;
    add("messages/s", ages.get(Double.POSITIVE_INFINITY) / measured);
    add(
        "CPU s per minute of each server, with a scrape every 15 s",
        (cpuSeconds() - cpu) * perMinute / SERVERS);
    add("CPU s per minute of the Kafka broker", (fleet.kafkaCpuSeconds() - kafka) * perMinute);
    add("scrape of one server ms, median", Table.quantile(durations, 0.5));
  }

  private double cpuSeconds() {
    return servers.stream().mapToDouble(Exporter::cpuSeconds).sum();
  }

  /** Scrapes all servers like Prometheus. */
  private List<Double> scrape(AtomicBoolean over) throws IOException, InterruptedException {
    List<Double> durations = new ArrayList<>();
    for (int second = 0; !over.get(); second++) {
      if (second % (SCRAPE_SECONDS / SERVERS) == 0) {
        Exporter server = servers.get(second / (SCRAPE_SECONDS / SERVERS) % SERVERS);
        long start = System.nanoTime();
        Macro.check(Scraper.once(server.port(), true, false));
        durations.add((System.nanoTime() - start) / 1e6);
      }
      Benchmark.pause(1);
    }
    return durations;
  }

  /** Milliseconds from a record until its value is on the page of an account with one device. */
  private double toPage(RecordWriter writer, int sample) throws Exception {
    int device = Population.timed(sample);
    String account = population.account(device);
    Exporter server = owner(population.partition(device)).orElseThrow();
    // Pages have four decimals of a ratio at least.
    double number = (1 + sample % 9_000) / 100.0;
    long start = System.nanoTime();
    writer.push(
        population.serial(device),
        account,
        System.currentTimeMillis(),
        population.push().with(number));
    while (true) {
      Scraper.Page page = Scraper.account(server.port(), account);
      double now = System.nanoTime();
      if (page.status() == 200
          && Math.abs(page.value(population.series()).orElse(-1) - population.shown(number))
              < ROUNDING) {
        return (now - start) / 1e6;
      }
      if (now - start > VALUE_TIMEOUT) {
        throw new IllegalStateException(
            number + " is not on the page of " + account + ":\n" + page.body());
      }
      Thread.sleep(2);
    }
  }

  /** The cumulative counts of all servers by upper bound. */
  private Map<Double, Double> ages() throws IOException {
    Map<Double, Double> ages = new TreeMap<>();
    for (Exporter server : servers) {
      Scraper.once(server.port(), false, true)
          .body()
          .lines()
          .filter(line -> line.startsWith("ecoflow_" + AGES))
          .forEach(
              line -> {
                String bound = line.replaceAll(".*le=\"([^\"]*)\".*", "$1");
                ages.merge(
                    bound.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(bound),
                    Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)),
                    Double::sum);
              });
    }
    return ages;
  }

  private static double upperBound(Map<Double, Double> ages, double part) {
    double all = ages.get(Double.POSITIVE_INFINITY);
    return ages.entrySet().stream()
        .filter(bucket -> bucket.getValue() >= part * all)
        .findFirst()
        .orElseThrow()
        .getKey();
  }

  private void memory(double emptyRss, double emptyHeap) throws Exception {
    double[] rss = servers.stream().mapToDouble(Exporter::rssMegabytes).toArray();
    double heap = 0;
    for (Exporter server : servers) {
      heap += server.heapMegabytes();
    }
    add("RSS MB of a server without devices", emptyRss);
    add("heap MB of a server without devices", emptyHeap);
    add("RSS MB of the largest server", Arrays.stream(rss).max().orElseThrow());
    add("heap MB of a server", heap / SERVERS);
    add(
        "RSS kB per device",
        (Arrays.stream(rss).sum() - SERVERS * emptyRss) * 1024 / population.size());
    add("heap kB per device", (heap - SERVERS * emptyHeap) * 1024 / population.size());
    Scraper.Page page = Scraper.once(servers.get(0).port(), false, false);
    add("series of one page", page.series());
    add("size of one page MB", page.bytes() / 1024.0 / 1024);
  }

  /** Ends a server. */
  @FunctionalInterface
  private interface End {
    void of(Exporter server);
  }

  private void takeOver(String how, End end) throws Exception {
    List<Integer> moved = new ArrayList<>();
    Exporter ended = servers.get(0);
    for (int partition : all()) {
      if (owner(partition).orElseThrow() == ended) {
        moved.add(partition);
      }
    }
    double cpu = cpuSeconds() - ended.cpuSeconds();
    long start = System.nanoTime();
    end.of(ended);
    servers.remove(ended);
    Map<Integer, Long> shown = owners(moved);
    log(shown, start);
    int devices = moved.stream().mapToInt(sizes::get).sum();
    int soFar = 0;
    double most = Double.NaN;
    double last = Double.NaN;
    for (Map.Entry<Integer, Long> partition : shown.entrySet()) {
      soFar += sizes.get(partition.getKey());
      last = (partition.getValue() - start) / 1e9;
      if (Double.isNaN(most) && soFar >= MOST * devices) {
        most = last;
      }
    }
    String what = "one server " + how + ", " + moved.size() + " partitions: ";
    add(what + "95 % of its devices on other pages s", most);
    add(what + "all of its devices on other pages s", last);
    add(what + "CPU s of the others until then", cpuSeconds() - cpu);
    ended.close();
    long listed = 0;
    for (Exporter server : servers) {
      listed += Scraper.once(server.port(), false, true).count("device_info");
    }
    if (listed != population.size()) {
      throw new IllegalStateException(listed + " devices on all pages");
    }
  }
}
