package ecoflow.page;

import ecoflow.normal.NormalFamily;
import java.util.List;
import java.util.function.Function;

/** Writes the normalised metrics of devices. */
final class NormalExposition extends PagePart<NormalFamily> {

  private static final String TOTAL = "_total";

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

  /** In OpenMetrics, the name of a counter family lacks the suffix of its series. */
  @Override
  byte[] head(NormalFamily current) {
    String name = name(current);
    boolean isShort = openMetrics && current.isCounter();
    String familyName = isShort ? name.substring(0, name.length() - TOTAL.length()) : name;
    String type = current.isCounter() ? "counter" : "gauge";
    return Exposition.head(familyName, current.help(), type, openMetrics);
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
