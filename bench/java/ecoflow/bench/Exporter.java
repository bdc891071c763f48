package ecoflow.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import ecoflow.testkit.Ports;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A measured exporter: a process and its child processes. */
final class Exporter implements AutoCloseable {

  /** The unit of times in /proc. */
  private static final double TICKS_PER_SECOND = 100;

  private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(120);

  private static final int IDLE_MILLIS = 200;
  private static final double IDLE_CPU_SECONDS = 0.04;
  private static final double PAUSE_GROWTH = 1.1;
  private static final String JAVA_HOME = System.getProperty("java.home");

  /** The generations of the serial collector, without the metaspace. */
  private static final Pattern HEAP_USED = Pattern.compile("generation +total \\d+K, used (\\d+)K");

  /** A condition on a poll of /metrics. */
  @FunctionalInterface
  interface Seen {
    boolean in(Scraper.Page page);
  }

  private final Process process;
  private final File log;
  private final int port;
  private final long startedAt;

  private Exporter(Process process, File log, int port, long startedAt) {
    this.process = process;
    this.log = log;
    this.port = port;
    this.startedAt = startedAt;
  }

  /** Starts a shell command line; a single command replaces the shell process. */
  static Exporter start(Bed bed, String command, String serials, Map<String, String> more)
      throws IOException {
    File log = File.createTempFile("bench", ".log");
    log.deleteOnExit();
    int port = Ports.next();
    ProcessBuilder builder = new ProcessBuilder("sh", "-c", "exec " + command);
    builder.environment().putAll(bed.environment(serials, port));
    builder.environment().putAll(more);
    builder.redirectErrorStream(true).redirectOutput(log);
    long start = System.nanoTime();
    return new Exporter(builder.start(), log, port, start);
  }

  int port() {
    return port;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** System.nanoTime at launch. */
  long startedAt() {
    return startedAt;
  }

  /** Polls /metrics until the condition is true, and returns the time. */
  long await(String what, int pauseMillis, Seen seen) throws InterruptedException {
    return await(what, pauseMillis, pauseMillis, seen);
  }

  /** Uses growing pauses, so that the cost of the polls stays small. */
  long await(String what, int pauseMillis, int maxPauseMillis, Seen seen)
      throws InterruptedException {
    return await(what, pauseMillis, maxPauseMillis, TIMEOUT_NANOS, seen);
  }

  long await(String what, int pauseMillis, int maxPauseMillis, long timeoutNanos, Seen seen)
      throws InterruptedException {
    long end = System.nanoTime() + timeoutNanos;
    double pause = pauseMillis;
    while (true) {
      try {
        Scraper.Page page = Scraper.once(port, false, true);
        if (page.status() == 200 && seen.in(page)) {
          return System.nanoTime();
        }
      } catch (IOException e) {
        // Not ready yet.
      }
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new IllegalStateException("no " + what + "\n" + logged());
      }
      Thread.sleep((long) pause);
      pause = Math.min(pause * PAUSE_GROWTH, maxPauseMillis);
    }
  }

  /** Waits until the exporter is ready, and returns the time. */
  long awaitReady(long timeoutNanos) throws InterruptedException {
    long end = System.nanoTime() + timeoutNanos;
    while (true) {
      try {
        if (Scraper.path(port, "/-/ready").status() == 200) {
          return System.nanoTime();
        }
      } catch (IOException e) {
        // Not started yet.
      }
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new IllegalStateException("not ready\n" + logged());
      }
      Thread.sleep(50);
    }
  }

  /** Waits until the exporter uses little CPU time, and returns the time when that began. */
  long awaitIdle() throws InterruptedException {
    double before;
    double now = cpuSeconds();
    long at;
    do {
      at = System.nanoTime();
      before = now;
      Thread.sleep(IDLE_MILLIS);
      now = cpuSeconds();
    } while (now - before > IDLE_CPU_SECONDS);
    return at;
  }

  static Seen value(String series, double value) {
    return page -> page.value(series).equals(OptionalDouble.of(value));
  }

  private String logged() {
    try {
      String text = Files.readString(log.toPath());
      return text.substring(Math.max(0, text.length() - 2_000));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private Stream<ProcessHandle> processes() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants());
  }

  /** User and system time since launch. */
  double cpuSeconds() {
    return cpuSeconds(processes());
  }

  /** User and system time of some processes. */
  static double cpuSeconds(Stream<ProcessHandle> processes) {
    return processes
            .mapToLong(
                one -> {
                  String stat = proc(one, "stat");
                  // The preceding name can contain spaces.
                  String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ");
                  return fields.length < 13
                      ? 0
                      : Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                })
            .sum()
        / TICKS_PER_SECOND;
  }

  double rssMegabytes() {
    return sum("status", "VmRSS:") / 1024.0;
  }

  double pssMegabytes() {
    return sum("smaps_rollup", "Pss:") / 1024.0;
  }

  /** The objects in use after a full garbage collection. */
  double heapMegabytes() throws IOException, InterruptedException {
    jcmd("GC.run");
    Matcher used = HEAP_USED.matcher(jcmd("GC.heap_info"));
    double kilobytes = 0;
    while (used.find()) {
      kilobytes += Double.parseDouble(used.group(1));
    }
    return kilobytes / 1024;
  }

  private String jcmd(String command) throws IOException, InterruptedException {
    String pid = Long.toString(process.pid());
    Process jcmd =
        new ProcessBuilder(Path.of(JAVA_HOME, "bin", "jcmd").toString(), pid, command)
            .redirectErrorStream(true)
            .start();
    String text = new String(jcmd.getInputStream().readAllBytes(), UTF_8);
    if (jcmd.waitFor() != 0) {
      throw new IllegalStateException(command + ": " + text);
    }
    return text;
  }

  int threads() {
    return (int) sum("status", "Threads:");
  }

  private long sum(String file, String field) {
    return processes()
        .flatMap(one -> proc(one, file).lines())
        .filter(line -> line.startsWith(field))
        .mapToLong(line -> Long.parseLong(line.split("\\s+")[1]))
        .sum();
  }

  /** Empty for a process that has ended. */
  private static String proc(ProcessHandle one, String file) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(one.pid()), file));
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      if (!one.isAlive()) {
        return "";
      }
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the process like a crash. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  @Override
  public void close() {
    ProcessHandle[] all = processes().toArray(ProcessHandle[]::new);
    process.destroy();
    process.onExit().completeOnTimeout(process, 15, TimeUnit.SECONDS).join();
    for (ProcessHandle one : all) {
      one.destroyForcibly();
    }
    process.onExit().join();
    if (!log.delete()) {
      log.deleteOnExit();
    }
  }
}
