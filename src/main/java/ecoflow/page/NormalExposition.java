package ecoflow.page;

import ecoflow.device.Labels;
import ecoflow.normal.NormalFamily;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Writes normalised gauges and counters of devices, a piece at a time. */
final class NormalExposition implements PagePart {

  private static final String TOTAL = "_total";
  private static final byte[] VALUE = {'}', ' '};

  private final String prefix;
  private final List<NormalFamily> families;
  private final Function<String, Labels> labels;
  private final boolean openMetrics;
  private final Map<String, byte[]> deviceLabels = new HashMap<>();
  private int family;
  private int series;

  /**
   * @param labels by serial number
   */
  NormalExposition(
      String prefix,
      List<NormalFamily> families,
      Function<String, Labels> labels,
      boolean openMetrics) {
    this.prefix = prefix;
    this.families = families;
    this.labels = labels;
    this.openMetrics = openMetrics;
  }

  @Override
  public boolean append(PageBytes out, int enough) {
    while (family < families.size() && out.size() < enough) {
      NormalFamily current = families.get(family);
      String name = prefix + "_" + current.name();
      if (series == 0) {
        out.add(head(current, name));
      }
      byte[] start = (name + "{").getBytes(StandardCharsets.UTF_8);
      // At least one series stands by the head, so that the head comes once.
      do {
        appendSeries(out, start, current);
        series++;
      } while (series < current.size() && out.size() < enough);
      if (series == current.size()) {
        family++;
        series = 0;
      }
    }
    return family < families.size();
  }

  /** In OpenMetrics the name of a counter is that of its series without the ending. */
  private byte[] head(NormalFamily current, String name) {
    boolean isShort = openMetrics && current.isCounter();
    String told = isShort ? name.substring(0, name.length() - TOTAL.length()) : name;
    String type = current.isCounter() ? "counter" : "gauge";
    return Exposition.head(told, current.help(), type, openMetrics);
  }

  private void appendSeries(PageBytes out, byte[] start, NormalFamily current) {
    out.add(start);
    out.add(
        deviceLabels.computeIfAbsent(
            current.serial(series), serial -> Exposition.deviceLabels(labels.apply(serial))));
    out.add(current.labels(series)).add(VALUE).add(current.value(series)).add('\n');
  }
}
