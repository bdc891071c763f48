package ecoflow.page;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/**
 * Writes metric families: the head of each family, then each of its series.
 *
 * <p>Fast path, read last: a loop in {@link Exposition} would write the same lines. This class can
 * interrupt the loop after a piece of the page.
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
   * Appends series until the buffer has {@code minSize} bytes or all series are written. Does not
   * write the end marker of OpenMetrics.
   *
   * @return whether there are further series
   */
  final boolean append(PageBytes out, int minSize) {
    while (family < families.size() && out.size() < minSize) {
      F current = families.get(family);
      int size = size(current);
      byte[] start = start(current);
      if (series == 0) {
        out.add(head(current));
      }
      // At least one series follows the head, because the head would be repeated otherwise.
      do {
        out.add(start).add(deviceLabels.apply(serial(current, series)));
        appendLabels(out, current, series);
        out.add(VALUE).add(value(current, series)).add('\n');
        series++;
      } while (series < size && out.size() < minSize);
      if (series == size) {
        family++;
        series = 0;
      }
    }
    return family < families.size();
  }

  abstract int size(F current);

  /** The HELP and TYPE lines. */
  abstract byte[] head(F current);

  /** The text of each series before its labels. */
  abstract byte[] start(F current);

  abstract String serial(F current, int i);

  /** Appends the additional labels, each preceded by a comma. */
  abstract void appendLabels(PageBytes out, F current, int i);

  abstract double value(F current, int i);

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
