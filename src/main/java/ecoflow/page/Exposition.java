package ecoflow.page;

import ecoflow.device.Labels;
import ecoflow.quota.Family;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Writes gauges of devices in the Prometheus text format 0.0.4 or in OpenMetrics 1.0 text.
 *
 * <p>Client libraries take endings such as _total or _info off a gauge's name; devices have quotas
 * with such names, and here they stay as they are.
 */
final class Exposition {

  /** Some readers end a line at these, too. */
  private static final Pattern OTHER_LINE_ENDS =
      Pattern.compile("[\\r\\f\\x{0B}\\x{1C}-\\x{1E}\\x{85}\\x{2028}\\x{2029}]");

  private Exposition() {}

  /** One series of a gauge that the exporter itself has for each device. */
  record Sample(Labels labels, double value) {}

  /**
   * Appends all series of the devices, without the "# EOF" that ends OpenMetrics text.
   *
   * @param prefix of the names, without the underscore
   * @param labels by serial number
   */
  static void append(
      StringBuilder out,
      String prefix,
      List<Family> families,
      Function<String, Labels> labels,
      boolean openMetrics) {
    Map<String, String> deviceLabels = new HashMap<>();
    for (Family family : families) {
      String name = prefix + "_" + family.name();
      appendHead(out, name, "EcoFlow quota " + family.rawKey(), openMetrics);
      for (Family.Series series : family.series()) {
        out.append(name).append('{');
        out.append(
            deviceLabels.computeIfAbsent(
                series.serial(), serial -> deviceLabels(labels.apply(serial))));
        for (int i = 0; i < series.indexes().size(); i++) {
          out.append(",index_").append(i).append("=\"").append(series.indexes().get(i)).append('"');
        }
        appendEnd(out, series.value());
      }
    }
  }

  /** Appends one gauge whose series have the labels of a device and no others. */
  static void appendGauge(
      StringBuilder out, String fullName, String help, List<Sample> samples, boolean openMetrics) {
    appendHead(out, fullName, help, openMetrics);
    for (Sample sample : samples) {
      out.append(fullName).append('{').append(deviceLabels(sample.labels()));
      appendEnd(out, sample.value());
    }
  }

  private static void appendHead(StringBuilder out, String name, String help, boolean openMetrics) {
    out.append("# HELP ").append(name).append(' ');
    // Only OpenMetrics escapes quotes here.
    appendEscaped(out, OTHER_LINE_ENDS.matcher(help).replaceAll(" "), openMetrics);
    out.append("\n# TYPE ").append(name).append(" gauge\n");
  }

  private static String deviceLabels(Labels labels) {
    StringBuilder out = new StringBuilder();
    appendLabel(out, "device", labels.device());
    appendLabel(out.append(','), "device_name", labels.deviceName());
    appendLabel(out.append(','), "product_name", labels.productName());
    appendLabel(out.append(','), "device_general_key", labels.generalKey());
    return out.toString();
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

  private static void appendEnd(StringBuilder out, double value) {
    out.append("} ");
    if (Double.isInfinite(value)) {
      out.append(value > 0 ? "+Inf" : "-Inf");
    } else {
      out.append(value);
    }
    out.append('\n');
  }
}
