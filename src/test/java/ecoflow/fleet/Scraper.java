package ecoflow.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.testkit.Page;
import ecoflow.testkit.Series;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** Scrapes all servers ten times a second, and records the devices that two of them show. */
final class Scraper implements AutoCloseable {

  /** Increases with each message of a device. */
  private static final String NUMBER = "ecoflow_test_number";

  private static final Duration INTERVAL = Duration.ofMillis(100);

  private final List<Page> pages;
  private final Queue<String> doubled = new ConcurrentLinkedQueue<>();
  private final Queue<String> outdated = new ConcurrentLinkedQueue<>();
  private final Map<String, Double> numbers = new HashMap<>();
  private final Map<String, Long> lastSeen = new HashMap<>();
  private final Thread thread = new Thread(this::run, "scraper");

  /** The start of the previous round. */
  private long lastRound;

  private volatile boolean isEnd;
  private volatile int rounds;

  /** The times for which a device was on no page, in milliseconds. */
  private final Queue<Long> gaps = new ConcurrentLinkedQueue<>();

  Scraper(List<Page> pages) {
    this.pages = new CopyOnWriteArrayList<>(pages);
    thread.start();
  }

  void add(Page page) {
    pages.add(page);
  }

  void remove(Page page) {
    pages.remove(page);
  }

  private void run() {
    while (!isEnd) {
      long start = System.nanoTime();
      scrape(start);
      rounds++;
      long left = INTERVAL.toNanos() - (System.nanoTime() - start);
      try {
        Thread.sleep(Math.max(0, left / 1_000_000));
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void scrape(long start) {
    Map<String, Page> seen = new HashMap<>();
    Set<String> twice = new HashSet<>();
    Map<String, Double> read = new HashMap<>();
    for (Page page : pages) {
      Set<String> devices = new HashSet<>();
      try {
        series(page)
            .forEach(
                series -> {
                  String device = series.labels().get("device");
                  devices.add(device);
                  if (series.name().equals(NUMBER)) {
                    read.put(device, series.value());
                  }
                });
      } catch (UncheckedIOException e) {
        // The server has ended.
      }
      devices.stream().filter(device -> seen.putIfAbsent(device, page) != null).forEach(twice::add);
    }
    read.forEach(
        (device, number) -> {
          Double last = numbers.put(device, number);
          if (last != null && number < last) {
            outdated.add(device + " " + number + " after " + last);
          }
        });
    // A device without values is not complete.
    for (String device : read.keySet()) {
      Long last = lastSeen.put(device, start);
      if (last != null && last != lastRound) {
        gaps.add((start - last) / 1_000_000);
      }
    }
    lastRound = start;
    twice.stream().filter(device -> isOn(seen.get(device), device)).forEach(doubled::add);
  }

  private static Stream<Series> series(Page page) {
    return page.text()
        .lines()
        .filter(line -> line.startsWith("ecoflow_") && line.contains("{device=\""))
        .map(Series::read);
  }

  /**
   * Whether a page that was read before still shows the device. Otherwise, the device has moved to
   * the next page between the two requests.
   */
  private static boolean isOn(Page page, String device) {
    try {
      return series(page).anyMatch(series -> device.equals(series.labels().get("device")));
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  /** The longest time for which a device was on no page. */
  Duration longestGap() {
    return Duration.ofMillis(gaps.stream().mapToLong(gap -> gap).max().orElse(0));
  }

  /** A line with the times for which devices were on no page. */
  String gaps() {
    List<Long> sorted = gaps.stream().sorted().toList();
    return sorted.isEmpty()
        ? "no device was missing in " + rounds + " rounds"
        : "devices were on no page %d times in %d rounds, p50 %d ms, max. %d ms"
            .formatted(
                sorted.size(),
                rounds,
                sorted.get(sorted.size() / 2),
                sorted.get(sorted.size() - 1));
  }

  void check() {
    assertEquals(List.of(), List.copyOf(outdated));
    assertEquals(List.of(), List.copyOf(doubled));
  }

  @Override
  public void close() {
    isEnd = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
