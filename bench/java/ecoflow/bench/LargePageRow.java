package ecoflow.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The page of one server with many devices. */
final class LargePageRow {

  private static final int REPLAY_SECONDS = 60;
  private static final String HEAP = "-Xmx3g";
  private static final int SCRAPES = 5;

  private final FleetBed fleet;
  private final Table table;
  private final int column;
  private final String command;

  LargePageRow(FleetBed fleet, Table table, int column, String command) {
    this.fleet = fleet;
    this.table = table;
    this.column = column;
    this.command = command;
  }

  void measure(Population population) throws Exception {
    String prefix = fleet.createTopics();
    String name =
        "page of " + population.size() + " devices, " + population.metrics() + ", one server: ";
    try (RecordWriter writer = fleet.writer(prefix)) {
      population.writeHistory(writer, REPLAY_SECONDS);
      Map<String, String> more =
          Map.of(
              "ECOFLOW_METRICS",
              population.metrics(),
              "ECOFLOW_REPLAY",
              Integer.toString(2 * REPLAY_SECONDS));
      try (LiveDevices live = new LiveDevices(population, writer);
          Exporter server = fleet.start(command, "serve", prefix, "", HEAP, more)) {
        long ready = server.awaitReady(TimeUnit.MINUTES.toNanos(5));
        table.add(name + "start until ready s", column, (ready - server.startedAt()) / 1e9);
        Benchmark.pause(10);
        table.add(name + "RSS MB before the first scrape", column, server.rssMegabytes());
        double cpu = server.cpuSeconds();
        scrape(name + "text: ", server, false);
        scrape(name + "gzip: ", server, true);
        table.add(
            name + "CPU s of a scrape, mean of both",
            column,
            (server.cpuSeconds() - cpu) / (2 * SCRAPES));
        table.add(name + "RSS MB after " + 2 * SCRAPES + " scrapes", column, server.rssMegabytes());
        table.add(name + "heap MB", column, server.heapMegabytes());
        long listed = Scraper.once(server.port(), false, true).count("device_info");
        if (listed != population.size()) {
          throw new IllegalStateException(listed + " devices on the page");
        }
        live.check();
      }
    }
  }

  private void scrape(String name, Exporter server, boolean gzip) throws IOException {
    List<Double> firstBytes = new ArrayList<>();
    List<Double> times = new ArrayList<>();
    Scraper.Page page = null;
    for (int i = 0; i < SCRAPES; i++) {
      long start = System.nanoTime();
      page = Scraper.once(server.port(), gzip, false);
      times.add((System.nanoTime() - start) / 1e6);
      firstBytes.add(page.firstByteNanos() / 1e6);
      Macro.check(page);
    }
    table.add(name + "first byte ms, median", column, Table.median(firstBytes));
    table.add(name + "whole page ms, median", column, Table.median(times));
    table.add(name + "MB", column, page.bytes() / 1024.0 / 1024);
    if (!gzip) {
      table.add(name + "series", column, page.series());
    }
  }
}
