package ecoflow.page;

import ecoflow.normal.NormalFamily;
import java.util.List;
import java.util.function.Function;

/** Writes the normalised metrics of devices. */
final class NormalExposition extends PagePart<NormalFamily> {

  private static final String TOTAL = "_total";
  private static final String INFO = "_info";

  private final String prefix;
  private final boolean openMetrics;

  NormalExposition(
      String prefix,
      List<NormalFamily> families,
      Function<String, byte[]> deviceLabels,
      boolean openMetrics) {
    super(families, deviceLabels);
    this.prefix = prefix;
    this.openMetrics = openMetrics;
  }

  @Override
  int size(NormalFamily current) {
    return current.size();
  }

  /** In OpenMetrics, the name of a counter or info family lacks the suffix of its series. */
  @Override
  byte[] head(NormalFamily current) {
    String name = name(current);
    String type = current.isCounter() ? "counter" : "gauge";
    if (openMetrics && current.isCounter()) {
      name = name.substring(0, name.length() - TOTAL.length());
    } else if (openMetrics && name.endsWith(INFO)) {
      name = name.substring(0, name.length() - INFO.length());
      type = "info";
    }
    return Exposition.head(name, current.help(), type, openMetrics);
  }

  private String name(NormalFamily current) {
    return prefix + "_" + current.name();
  }

  @Override
  byte[] start(NormalFamily current) {
    return bytes(name(current) + "{");
  }

  @Override
  String serial(NormalFamily current, int i) {
    return current.serial(i);
  }

  @Override
  void appendLabels(PageBytes out, NormalFamily current, int i) {
    out.add(current.labels(i));
  }

  @Override
  double value(NormalFamily current, int i) {
    return current.value(i);
  }
}
