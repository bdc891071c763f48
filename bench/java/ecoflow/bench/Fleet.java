package ecoflow.bench;

/**
 * Measures the roles of a fleet as separate processes, with a real Kafka broker, a real MQTT broker
 * with TLS and the simulated cloud.
 */
public final class Fleet {

  /** The rows that --only can select. */
  private enum Row {
    JSON30,
    FRAME250,
    NORMALISED,
    RAW,
    PAGE
  }

  /** {@code bench/fleet} has unpacked the distribution there. */
  private static final String LAUNCHER = "target/fleet-bench/bin/ecoflow-exporter";

  private Fleet() {}

  /** Options as in {@link Options.Program#usage}. */
  public static void main(String[] arguments) throws Exception {
    Benchmark.main(
        new Options.Program<>("bench/fleet", Row.class, LAUNCHER, "the launcher"),
        arguments,
        benchmark -> {
          try (Bed bed = new Bed(benchmark.directory());
              FleetBed fleet = new FleetBed(bed, benchmark.directory())) {
            measure(benchmark, fleet);
          }
        });
  }

  private static void measure(Benchmark<Row> benchmark, FleetBed fleet)
      throws InterruptedException {
    Options<Row> options = benchmark.options();
    Table table = benchmark.table();
    for (Row row : options.rows()) {
      benchmark.each(
          row,
          row == Row.JSON30 || row == Row.FRAME250 ? options.rounds() : 1,
          command -> {
            String run = options.commands().get(command);
            switch (row) {
              case JSON30 ->
                  new ThroughputRow(fleet, table, command, run, options.quick())
                      .measure("JSON 30 keys", Push.json(30));
              case FRAME250 ->
                  new ThroughputRow(fleet, table, command, run, options.quick())
                      .measure("frame 250 fields", Push.frame(250));
              case NORMALISED, RAW ->
                  new ManyDevicesRow(
                          fleet,
                          table,
                          command,
                          run,
                          row == Row.RAW ? Population.raw(options) : Population.normalised(options))
                      .measure(options.quick());
              case PAGE ->
                  new LargePageRow(fleet, table, command, run)
                      .measure(Population.normalised(options));
            }
          });
    }
  }
}
