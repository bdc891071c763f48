package ecoflow.values;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.testkit.Page;
import java.util.Arrays;

/** Expected series in text form, for comparison with the page. */
final class SeriesLines {

  private SeriesLines() {}

  /** Each line contains a name, its labels, and the value, or "-" for an absent series. */
  static void assertShows(Page page, SimulatedDevice device, String lines) {
    lines
        .lines()
        .forEach(
            line -> {
              String[] words = line.strip().split(" +");
              String[] labels = Arrays.copyOfRange(words, 1, words.length - 1);
              String value = words[words.length - 1];
              assertEquals(
                  value.equals("-") ? Double.NaN : Double.parseDouble(value),
                  page.of(device, words[0], labels),
                  1e-6,
                  line);
            });
  }
}
