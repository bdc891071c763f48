package ecoflow.page;

import ecoflow.device.Labels;
import ecoflow.quota.Family;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Writes gauges of devices in the Prometheus text format 0.0.4 or in OpenMetrics 1.0 text, a piece
 * at a time.
 *
 * <p>Client libraries take endings such as _total or _info off a gauge's name; devices have quotas
 * with such names, and here they stay as they are.
 */
final class Exposition extends PagePart<Family> {

  /** Some readers end a line at these, too. */
  private static final Pattern OTHER_LINE_ENDS =
      Pattern.compile("[\\r\\f\\x{0B}\\x{1C}-\\x{1E}\\x{85}\\x{2028}\\x{2029}]");

  private static final byte[] VALUE = bytes("} ");

  private final Names names;
  private final boolean openMetrics;

  /** One series of a gauge that the exporter itself has for each device. */
  record Sample(Labels labels, double value) {}

  /** What stands before the series of a name. */
  private record Name(String rawKey, byte[] textHead, byte[] openMetricsHead, byte[] start) {}

  /** The names of series as bytes, which are the same for every page. */
  static final class Names {

    private final String prefix;
    private final Map<String, Name> known = new ConcurrentHashMap<>();

    /**
     * @param prefix of the names, without the underscore
     */
    Names(String prefix) {
      this.prefix = prefix;
    }

    private Name of(Family family) {
      Name name = known.get(family.name());
      if (name == null || !name.rawKey().equals(family.rawKey())) {
        name = make(family);
        known.put(family.name(), name);
      }
      return name;
    }

    private Name make(Family family) {
      String name = prefix + "_" + family.name();
      String help = "EcoFlow quota " + family.rawKey();
      return new Name(
          family.rawKey(), head(name, help, false), head(name, help, true), bytes(name + "{"));
    }

    /** Forgets names that are gone, if there are many. */
    private void keep(List<Family> families) {
      if (known.size() > 2 * families.size() + 1_000) {
        known.clear();
      }
    }
  }

  Exposition(
      List<Family> families,
      Function<String, byte[]> deviceLabels,
      Names names,
      boolean openMetrics) {
    super(families, deviceLabels);
    this.names = names;
    this.openMetrics = openMetrics;
    names.keep(families);
  }

  @Override
  int size(Family current) {
    return current.size();
  }

  @Override
  byte[] head(Family current) {
    Name name = names.of(current);
    return openMetrics ? name.openMetricsHead() : name.textHead();
  }

  @Override
  byte[] start(Family current) {
    return names.of(current).start();
  }

  @Override
  String serial(Family current, int i) {
    return current.serial(i);
  }

  @Override
  void appendLabels(PageBytes out, Family current, int i) {
    List<String> indexes = current.indexes(i);
    for (int place = 0; place < indexes.size(); place++) {
      out.add(",index_").add(Integer.toString(place)).add("=\"").add(indexes.get(place)).add('"');
    }
  }

  @Override
  double value(Family current, int i) {
    return current.value(i);
  }

  /** Appends one gauge whose series have the labels of a device and no others. */
  static void appendGauge(
      PageBytes out, String fullName, String help, List<Sample> samples, boolean openMetrics) {
    out.add(head(fullName, help, openMetrics));
    for (Sample sample : samples) {
      out.add(fullName).add('{').add(deviceLabels(sample.labels()));
      out.add(VALUE).add(sample.value()).add('\n');
    }
  }

  private static byte[] head(String name, String help, boolean openMetrics) {
    return head(name, help, "gauge", openMetrics);
  }

  /** What stands before the series of a name, with the type of the metric. */
  static byte[] head(String name, String help, String type, boolean openMetrics) {
    StringBuilder out = new StringBuilder("# HELP ").append(name).append(' ');
    // Only OpenMetrics escapes quotes here.
    appendEscaped(out, OTHER_LINE_ENDS.matcher(help).replaceAll(" "), openMetrics);
    return bytes(
        out.append("\n# TYPE ").append(name).append(' ').append(type).append('\n').toString());
  }

  static byte[] deviceLabels(Labels labels) {
    StringBuilder out = new StringBuilder();
    appendLabel(out, "device", labels.device());
    appendLabel(out.append(','), "device_name", labels.deviceName());
    appendLabel(out.append(','), "product_name", labels.productName());
    appendLabel(out.append(','), "device_general_key", labels.generalKey());
    return bytes(out.toString());
  }

  private static void appendLabel(StringBuilder out, String name, String value) {
    out.append(name).append("=\"");
    appendEscaped(out, value, true);
    out.append('"');
  }

  private static void appendEscaped(StringBuilder out, String text, boolean quotes) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '"' -> out.append(quotes ? "\\\"" : "\"");
        default -> out.append(c);
      }
    }
  }
}
