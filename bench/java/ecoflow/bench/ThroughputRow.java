package ecoflow.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A collector, a server, and a process without Kafka, each on the first processor. Everything else
 * is on the others.
 */
final class ThroughputRow {

  private static final String TOPIC = "/app/device/property/";

  /** Enough that none of them sends more than the exporter accepts from one device. */
  private static final List<String> SERIALS =
      IntStream.range(0, 200).mapToObj("R331ZFLEE%07d"::formatted).toList();

  private static final String ALL = String.join(",", SERIALS);
  private static final String HEAP = "-Xmx256m";
  private static final String ON_FIRST = "taskset -c 0 ";

  /** Messages per second of the measurement of CPU time. */
  private static final int RATE = 1_000;

  private static final int CHUNK = 10;

  /** Compared with the last rate at which nothing was dropped. */
  private static final double STEP = 1.12;

  private static final double STEP_SECONDS = 3;

  /** A process that has messages left for longer cannot process them at this rate. */
  private static final double MAX_BACKLOG_SECONDS = 0.6;

  private final FleetBed fleet;
  private final Table table;
  private final int column;
  private final String command;
  private final int warmUp;
  private final int measured;
  private final int settling;
  private final int burst;
  private int number = 1;

  ThroughputRow(FleetBed fleet, Table table, int column, String command, boolean quick) {
    this.fleet = fleet;
    this.table = table;
    this.column = column;
    this.command = command;
    this.warmUp = quick ? 2_000 : 5_000;
    this.measured = quick ? 2_000 : 20_000;
    this.settling = quick ? 6_000 : 40_000;
    this.burst = quick ? 20_000 : 100_000;
  }

  /** The process, and the counter of its processed messages. */
  private record Measured(String role, Exporter exporter, String counter) implements AutoCloseable {

    double count() throws IOException {
      return Scraper.once(exporter.port(), false, true).sum(counter);
    }

    @Override
    public void close() {
      exporter.close();
    }
  }

  void measure(String what, Push push) throws Exception {
    int processors = Runtime.getRuntime().availableProcessors();
    FleetBed.bind(processors == 1 ? "0" : "1-" + (processors - 1));
    fleet.bed().setAnswer("");
    String name = what + " (" + push.length() + " bytes): ";
    try (Publisher publisher = fleet.bed().publisher()) {
      double ofAll = cpu(name, push, publisher);
      saturateAll(name, push, publisher, 1 / ofAll);
      saturateCollector(name, push, publisher, 1 / ofAll);
      saturateServer(name, push);
    } finally {
      FleetBed.bind("0-" + (processors - 1));
    }
  }

  private Measured server(String prefix) throws IOException, InterruptedException {
    Exporter exporter = fleet.start(ON_FIRST + command, "serve", prefix, "", HEAP, Map.of());
    exporter.awaitReady(TimeUnit.MINUTES.toNanos(1));
    return new Measured("server", exporter, "kafka_received_messages_total");
  }

  private Measured collector(String prefix) throws IOException {
    return new Measured(
        "collector",
        fleet.start(ON_FIRST + command, "collect", prefix, ALL, HEAP, Map.of()),
        "kafka_sent_messages_total");
  }

  private Measured all() throws IOException {
    Map<String, String> variables = new HashMap<>(FleetBed.javaOptions(HEAP));
    // The default depends on the account and the devices, and a collector has the same.
    variables.put("ECOFLOW_MQTT_CLIENT_ID", "bench-all");
    return new Measured(
        "role all",
        Exporter.start(fleet.bed(), ON_FIRST + command, ALL, variables),
        "mqtt_messages_total");
  }

  /** Pushes until the process counts messages, because its subscriptions can be late. */
  private void awaitPushed(Measured process, Push push, Publisher publisher)
      throws InterruptedException {
    process
        .exporter()
        .await(
            "message",
            50,
            page -> {
              boolean there = page.sum(process.counter()) > 0;
              if (!there) {
                publish(push, publisher, 1);
                flush(publisher);
              }
              return there;
            });
  }

  private void publish(Push push, Publisher publisher, int count) {
    try {
      for (int i = 0; i < count; i++) {
        publisher.publish(TOPIC + SERIALS.get(number % SERIALS.size()), push.bytes(number));
        number++;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void flush(Publisher publisher) {
    try {
      publisher.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Publishes at a constant rate, and returns the seconds that this has taken. */
  private double load(Push push, Publisher publisher, int count, double rate)
      throws InterruptedException {
    long start = System.nanoTime();
    for (int published = 0; published < count; published += CHUNK) {
      publish(push, publisher, CHUNK);
      flush(publisher);
      long due = start + (long) (TimeUnit.SECONDS.toNanos(published + CHUNK) / rate);
      while (System.nanoTime() < due) {
        Thread.sleep(1);
      }
    }
    return (System.nanoTime() - start) / 1e9;
  }

  /**
   * The same messages for all three processes, at a rate that each of them has time for.
   *
   * @return CPU ms per message of the process without Kafka
   */
  private double cpu(String name, Push push, Publisher publisher) throws Exception {
    String prefix = fleet.createTopics();
    Measured server = server(prefix);
    Measured collector = collector(prefix);
    Measured all = all();
    List<Measured> processes = List.of(all, collector, server);
    try {
      for (Measured process : processes) {
        awaitPushed(process, push, publisher);
      }
      awaitIdle(processes);
      List<Double> counts = counts(processes);
      load(push, publisher, warmUp, RATE / 4.0);
      load(push, publisher, settling, RATE);
      awaitIdle(processes);
      List<Double> before = cpuSeconds(processes);
      double kafka = fleet.kafkaCpuSeconds();
      load(push, publisher, measured, RATE);
      awaitIdle(processes);
      List<Double> after = cpuSeconds(processes);
      kafka = fleet.kafkaCpuSeconds() - kafka;
      for (int i = 0; i < processes.size(); i++) {
        checkNothingLost(processes.get(i), counts.get(i), warmUp + settling + measured);
      }
      add(name + "CPU ms/message", processes, before, after);
      table.add(name + "CPU ms/message: Kafka broker", column, kafka * 1000 / measured);
      for (Measured process : processes) {
        table.add(name + "RSS MB: " + process.role(), column, process.exporter().rssMegabytes());
      }
      return (after.get(0) - before.get(0)) / measured;
    } finally {
      processes.forEach(Measured::close);
    }
  }

  /** The last messages can be on their way while the process has nothing to do. */
  private static double awaitCount(Measured process, double before, int sent)
      throws IOException, InterruptedException {
    double last = -1;
    double counted = process.count() - before;
    while (counted < sent && counted > last) {
      Benchmark.pause(3);
      last = counted;
      counted = process.count() - before;
    }
    return counted;
  }

  private static void checkNothingLost(Measured process, double before, int sent)
      throws IOException, InterruptedException {
    double counted = awaitCount(process, before, sent);
    if (counted < sent) {
      double dropped =
          Scraper.once(process.exporter().port(), false, true).sum("mqtt_messages_dropped_total");
      throw new IllegalStateException(
          "%s: %.0f messages of %d, %.0f dropped"
              .formatted(process.role(), counted, sent, dropped));
    }
  }

  private void add(String name, List<Measured> processes, List<Double> before, List<Double> after) {
    List<Double> each =
        IntStream.range(0, processes.size())
            .mapToObj(i -> (after.get(i) - before.get(i)) * 1000 / measured)
            .toList();
    for (int i = 0; i < processes.size(); i++) {
      table.add(name + ": " + processes.get(i).role(), column, each.get(i));
    }
    table.add(
        name + ": (collector + server) / role all",
        column,
        (each.get(1) + each.get(2)) / each.get(0));
  }

  private static void awaitIdle(List<Measured> processes) throws InterruptedException {
    for (Measured process : processes) {
      process.exporter().awaitIdle();
    }
  }

  private static List<Double> counts(List<Measured> processes) throws IOException {
    Stream.Builder<Double> counts = Stream.builder();
    for (Measured process : processes) {
      counts.add(process.count());
    }
    return counts.build().toList();
  }

  private static List<Double> cpuSeconds(List<Measured> processes) {
    return processes.stream()
        .map(process -> process.exporter().cpuSeconds())
        .collect(Collectors.toList());
  }

  private void saturateAll(String name, Push push, Publisher publisher, double estimate)
      throws Exception {
    try (Measured all = all()) {
      saturate(name, all, push, publisher, estimate);
    }
  }

  private void saturateCollector(String name, Push push, Publisher publisher, double estimate)
      throws Exception {
    try (Measured collector = collector(fleet.createTopics())) {
      saturate(name, collector, push, publisher, estimate);
    }
  }

  /**
   * Increases the rate until messages are dropped or remain unprocessed.
   *
   * @param estimate an estimate of the highest rate
   */
  private void saturate(
      String name, Measured process, Push push, Publisher publisher, double estimate)
      throws Exception {
    Exporter exporter = process.exporter();
    awaitPushed(process, push, publisher);
    exporter.awaitIdle();
    // Compiles the code.
    load(push, publisher, (int) (estimate * STEP_SECONDS), estimate / 3);
    exporter.awaitIdle();
    double highest = Double.NaN;
    double share = Double.NaN;
    double rate = estimate / 2.5;
    while (true) {
      int count = (int) (rate * STEP_SECONDS) / CHUNK * CHUNK;
      double before = process.count();
      exporter.awaitIdle();
      double cpu = exporter.cpuSeconds();
      long start = System.nanoTime();
      double seconds = load(push, publisher, count, rate);
      double idleAfter = (exporter.awaitIdle() - start) / 1e9 - seconds;
      cpu = exporter.cpuSeconds() - cpu;
      double counted = awaitCount(process, before, count);
      boolean isLoadSlow = seconds > STEP_SECONDS * 1.1;
      System.err.printf(
          "%s %.0f/s: %.0f of %d counted, %.2f s after the last one, load %.2f s, CPU %.2f s%n",
          process.role(), rate, counted, count, idleAfter, seconds, cpu);
      if (counted < count || idleAfter > MAX_BACKLOG_SECONDS || isLoadSlow) {
        break;
      }
      highest = rate;
      share = cpu / seconds;
      rate *= STEP;
    }
    table.add(name + "highest rate without a loss, messages/s: " + process.role(), column, highest);
    table.add(name + "CPU of that core: " + process.role(), column, share);
  }

  /** Kafka keeps what a server has not read yet, so its rate does not depend on the load. */
  private void saturateServer(String name, Push push) throws Exception {
    String prefix = fleet.createTopics();
    try (Measured server = server(prefix);
        RecordWriter writer = fleet.writer(prefix)) {
      for (String serial : SERIALS) {
        writer.device(serial, "");
      }
      burst(server, writer, push);
      double cpu = server.exporter().cpuSeconds();
      double seconds = burst(server, writer, push);
      table.add(name + "highest rate without a loss, messages/s: server", column, burst / seconds);
      table.add(
          name + "CPU of that core: server",
          column,
          (server.exporter().cpuSeconds() - cpu) / seconds);
    }
  }

  /** Writes many records at once, and returns the seconds until the server has processed them. */
  private double burst(Measured server, RecordWriter writer, Push push) throws Exception {
    double before = server.count();
    server.exporter().awaitIdle();
    long start = System.nanoTime();
    for (int i = 0; i < burst; i++) {
      writer.push(
          SERIALS.get(number % SERIALS.size()),
          "",
          System.currentTimeMillis(),
          push.bytes(number).clone());
      number++;
    }
    writer.flush();
    double written = (System.nanoTime() - start) / 1e9;
    double seconds = (server.exporter().awaitIdle() - start) / 1e9;
    System.err.printf("server: %d written in %.2f s, read in %.2f s%n", burst, written, seconds);
    checkNothingLost(server, before, burst);
    return seconds;
  }
}
