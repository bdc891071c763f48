package ecoflow.page;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/**
 * Writes metric families: for each family the head, then each series with the labels of its device,
 * its other labels and its value.
 *
 * <p>Fast path, read last: a loop in {@link Exposition} would write the same lines. This class can
 * stop after a piece of the page and continue later.
 *
 * @param <F> the type of a metric family
 */
abstract class PagePart<F> {

  private static final byte[] VALUE = bytes("} ");

  private final List<F> families;
  private final Function<String, byte[]> deviceLabels;
  private int family;
  private int series;

  /**
   * @param deviceLabels the encoded labels of a device, by serial number
   */
  PagePart(List<F> families, Function<String, byte[]> deviceLabels) {
    this.families = families;
    this.deviceLabels = deviceLabels;
  }

  /**
   * Appends series until the buffer has {@code enough} bytes or no series are left. The end marker
   * of OpenMetrics is not included.
   *
   * @return whether series are left
   */
  final boolean append(PageBytes out, int enough) {
    while (family < families.size() && out.size() < enough) {
      F current = families.get(family);
      int size = size(current);
      byte[] start = start(current);
      if (series == 0) {
        out.add(head(current));
      }
      // Write at least one series after the head, so that the head is not repeated.
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

  /** The start of each series, up to the labels. */
  abstract byte[] start(F current);

  abstract String serial(F current, int i);

  /** Appends the additional labels, each preceded by a comma. */
  abstract void appendLabels(PageBytes out, F current, int i);

  abstract double value(F current, int i);

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
