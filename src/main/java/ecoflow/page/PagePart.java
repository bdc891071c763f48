package ecoflow.page;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/**
 * Series that are written a piece at a time, family by family.
 *
 * @param <F> the series of one name
 */
abstract class PagePart<F> {

  private static final byte[] VALUE = bytes("} ");

  private final List<F> families;
  private final Function<String, byte[]> deviceLabels;
  private int family;
  private int series;

  /**
   * @param deviceLabels as they stand in a series, by serial number
   */
  PagePart(List<F> families, Function<String, byte[]> deviceLabels) {
    this.families = families;
    this.deviceLabels = deviceLabels;
  }

  /**
   * Appends the next series until there are {@code enough} bytes or all are there, without the "#
   * EOF" that ends OpenMetrics text.
   *
   * @return whether there are more
   */
  final boolean append(PageBytes out, int enough) {
    while (family < families.size() && out.size() < enough) {
      F current = families.get(family);
      int size = size(current);
      byte[] start = start(current);
      if (series == 0) {
        out.add(head(current));
      }
      // At least one series stands by the head, so that the head comes once.
      do {
        out.add(start).add(deviceLabels.apply(serial(current, series)));
        appendLabels(out, current, series);
        out.add(VALUE).add(value(current, series)).add('\n');
        series++;
      } while (series < size && out.size() < enough);
      if (series == size) {
        family++;
        series = 0;
      }
    }
    return family < families.size();
  }

  abstract int size(F current);

  /** The lines before the series. */
  abstract byte[] head(F current);

  /** What each series begins with, up to the labels. */
  abstract byte[] start(F current);

  abstract String serial(F current, int i);

  /** Appends the labels besides those of the device, each with a comma before it. */
  abstract void appendLabels(PageBytes out, F current, int i);

  abstract double value(F current, int i);

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
