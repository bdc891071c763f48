package ecoflow.bench;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** One run of a program that measures exporters as separate processes, and prints a table. */
final class Benchmark<R extends Enum<R>> {

  /** Measures the selected rows. */
  @FunctionalInterface
  interface Body<R extends Enum<R>> {
    void measure(Benchmark<R> benchmark) throws Exception;
  }

  /** One measurement of one exporter. */
  @FunctionalInterface
  interface Step {
    void measure(int command) throws Exception;
  }

  private final Options<R> options;
  private final Path directory;
  private final Table table;

  private Benchmark(Options<R> options, Path directory) {
    this.options = options;
    this.directory = directory;
    this.table = new Table(options.commands().size());
  }

  /** Reads the options, measures, and ends the process. */
  static <R extends Enum<R>> void main(Options.Program<R> program, String[] arguments, Body<R> body)
      throws Exception {
    // Ctrl-C must not leave an exporter or a broker running.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly),
                "bench-end"));
    int code = 0;
    try {
      if (List.of(arguments).contains("--help")) {
        System.out.println(program.usage());
      } else {
        measure(program.read(arguments), body);
      }
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + program.usage());
      code = 2;
    } catch (IllegalStateException e) {
      System.err.println(e.getMessage());
      code = 1;
    }
    // Threads of the cloud would keep the process alive for some seconds.
    System.exit(code);
  }

  private static <R extends Enum<R>> void measure(Options<R> options, Body<R> body)
      throws Exception {
    Path directory = Files.createTempDirectory("bench");
    try {
      Benchmark<R> benchmark = new Benchmark<>(options, directory);
      body.measure(benchmark);
      System.out.println(machine(options) + "\n\n" + benchmark.table.text());
    } finally {
      try (Stream<Path> files = Files.walk(directory)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
  }

  private static String machine(Options<?> options) throws IOException {
    String model =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .findFirst()
            .map(line -> line.substring(line.indexOf(':') + 2))
            .orElse(System.getProperty("os.arch"));
    return "%d processors, %s; load: Java %s"
            .formatted(
                Runtime.getRuntime().availableProcessors(),
                model,
                System.getProperty("java.version"))
        + IntStream.range(0, options.commands().size())
            .mapToObj(
                i -> "\n" + (i == 0 ? "run: " : "compared with: ") + options.commands().get(i))
            .collect(joining());
  }

  Options<R> options() {
    return options;
  }

  Path directory() {
    return directory;
  }

  Table table() {
    return table;
  }

  /**
   * Alternates between the exporters, so that a slow minute of the machine affects all of them, and
   * reverses the order every other time, because the first measurement also includes the warm-up of
   * this program.
   */
  void each(R row, int times, Step step) throws InterruptedException {
    int commands = options.commands().size();
    for (int time = 0; time < times; time++) {
      for (int turn = 0; turn < commands; turn++) {
        int command = time % 2 == 0 ? turn : commands - 1 - turn;
        System.err.printf(
            "%s %d of %d: %s%n",
            Options.text(row), time + 1, times, options.commands().get(command));
        try {
          step.measure(command);
        } catch (InterruptedException e) {
          throw e;
        } catch (Exception e) {
          System.err.println("not measured: " + e);
        }
      }
    }
  }

  static <T> CompletableFuture<T> inBackground(Callable<T> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                result.complete(task.call());
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            },
            "bench-background");
    thread.setDaemon(true);
    thread.start();
    return result;
  }

  static void pause(double seconds) throws InterruptedException {
    Thread.sleep((long) (seconds * 1000));
  }
}
