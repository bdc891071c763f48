package ecoflow.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

/** Scrapes all servers ten times a second, and records the devices that two of them show. */
final class Scraper implements AutoCloseable {

  /** Increases with each message of a device. */
  private static final String NUMBER = "ecoflow_test_number";

  private static final Duration INTERVAL = Duration.ofMillis(100);

  /** In a longer round, a device could move from a page that was read first to the next one. */
  private static final Duration MAX_ROUND = Duration.ofMillis(500);

  private final List<Page> pages;
  private final Queue<String> doubled = new ConcurrentLinkedQueue<>();
  private final Queue<String> outdated = new ConcurrentLinkedQueue<>();
  private final Map<String, Double> numbers = new HashMap<>();
  private final Map<String, Long> lastSeen = new HashMap<>();
  private final Thread thread = new Thread(this::run, "scraper");
  private volatile boolean isEnd;
  private volatile int rounds;
  private volatile int skipped;
  private volatile Duration longestGap = Duration.ZERO;

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
      Set<String> twice = scrape(start);
      if (System.nanoTime() - start < MAX_ROUND.toNanos()) {
        doubled.addAll(twice);
        rounds++;
      } else {
        skipped++;
      }
      long left = INTERVAL.toNanos() - (System.nanoTime() - start);
      try {
        Thread.sleep(Math.max(0, left / 1_000_000));
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private Set<String> scrape(long start) {
    Set<String> seen = new HashSet<>();
    Set<String> twice = new HashSet<>();
    Map<String, Double> read = new HashMap<>();
    for (Page page : pages) {
      Set<String> devices = new HashSet<>();
      try {
        page.text()
            .lines()
            .filter(line -> line.startsWith("ecoflow_") && line.contains("{device=\""))
            .map(Series::read)
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
      devices.stream().filter(device -> !seen.add(device)).forEach(twice::add);
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
      if (last != null && start - last > longestGap.toNanos()) {
        longestGap = Duration.ofNanos(start - last);
      }
    }
    return twice;
  }

  /** The longest time for which a device was on no page. */
  Duration longestGap() {
    return longestGap;
  }

  int rounds() {
    return rounds;
  }

  void check() {
    assertEquals(List.of(), List.copyOf(outdated));
    assertEquals(List.of(), List.copyOf(doubled));
    assertTrue(rounds > skipped, rounds + " rounds, and " + skipped + " that took too long");
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
