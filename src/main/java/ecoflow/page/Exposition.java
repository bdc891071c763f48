package ecoflow.page;

import ecoflow.device.DeviceView;
import ecoflow.device.Labels;
import ecoflow.quota.Family;
import ecoflow.text.Lines;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Writes gauges of devices in the Prometheus text format 0.0.4 or the OpenMetrics 1.0 text format,
 * in pieces.
 *
 * <p>Client libraries remove suffixes such as _total or _info from the names of gauges. Some quotas
 * have such names, which this class does not change.
 */
final class Exposition extends PagePart<Family> {

  /** Characters other than \n that some parsers treat as line separators. */
  private static final Pattern LINE_SEPARATORS =
      Pattern.compile("[\\r\\f\\x{0B}\\x{1C}-\\x{1E}\\x{85}\\x{2028}\\x{2029}]");

  private static final byte[] VALUE = bytes("} ");

  private final Names names;
  private final boolean openMetrics;

  /** A series of an exporter metric with only the labels of a device. */
  record Sample(Labels labels, double value) {}

  /** The encoded HELP and TYPE lines of a metric family, and the start of each of its series. */
  private record Name(String rawKey, byte[] textHead, byte[] openMetricsHead, byte[] start) {}

  /** Cache of the encoded names of metric families. */
  static final class Names {

    private final String prefix;
    private final Map<String, Name> cache = new ConcurrentHashMap<>();

    /**
     * @param prefix the prefix of the names, without the underscore
     */
    Names(String prefix) {
      this.prefix = prefix;
    }

    private Name of(Family family) {
      Name name = cache.get(family.name());
      if (name == null || !name.rawKey().equals(family.rawKey())) {
        name = encode(family);
        cache.put(family.name(), name);
      }
      return name;
    }

    private Name encode(Family family) {
      String name = prefix + "_" + family.name();
      String help = "EcoFlow quota " + family.rawKey();
      return new Name(
          family.rawKey(), head(name, help, false), head(name, help, true), bytes(name + "{"));
    }

    /** Clears the cache if it contains many unused names. */
    private void trim(List<Family> families) {
      if (cache.size() > 2 * families.size() + 1_000) {
        cache.clear();
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
    names.trim(families);
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
    for (int index = 0; index < indexes.size(); index++) {
      out.add(",index_").add(Integer.toString(index)).add("=\"").add(indexes.get(index)).add('"');
    }
  }

  @Override
  double value(Family current, int i) {
    return current.value(i);
  }

  /** Appends an exporter metric. */
  static void appendGauge(
      PageBytes out, String fullName, String help, List<Sample> samples, boolean openMetrics) {
    out.add(head(fullName, help, openMetrics));
    for (Sample sample : samples) {
      out.add(fullName).add('{').add(deviceLabels(sample.labels()));
      out.add(VALUE).add(sample.value()).add('\n');
    }
  }

  /**
   * Appends an info metric with the labels of each device, its account if accounts are named, and
   * its versions.
   *
   * @param name without the suffix _info, which the name of the family lacks in OpenMetrics
   * @param versions the encoded labels of a device, each preceded by a comma, by serial number
   */
  static void appendDeviceInfo(
      PageBytes out,
      String name,
      List<DeviceView> devices,
      boolean areNamed,
      Map<String, String> versions,
      boolean openMetrics) {
    String fullName = name + "_info";
    String help = areNamed ? "Labels and account of the device" : "Versions of the device";
    out.add(openMetrics ? head(name, help, "info", true) : head(fullName, help, "gauge", false));
    for (DeviceView device : devices) {
      out.add(fullName).add('{').add(deviceLabels(device.labels()));
      if (areNamed) {
        // Names of accounts need no escapes. A device of another source has no account.
        out.add(",account=\"").add(device.account()).add('"');
      }
      out.add(bytes(versions.getOrDefault(device.serial(), ""))).add("} 1\n");
    }
  }

  private static byte[] head(String name, String help, boolean openMetrics) {
    return head(name, help, "gauge", openMetrics);
  }

  /** The HELP and TYPE lines of a metric family. */
  static byte[] head(String name, String help, String type, boolean openMetrics) {
    StringBuilder out = new StringBuilder("# HELP ").append(name).append(' ');
    // Only OpenMetrics escapes quotes in HELP lines.
    String escaped =
        LINE_SEPARATORS.matcher(help).replaceAll(" ").replace("\\", "\\\\").replace("\n", "\\n");
    out.append(openMetrics ? escaped.replace("\"", "\\\"") : escaped);
    return bytes(
        out.append("\n# TYPE ").append(name).append(' ').append(type).append('\n').toString());
  }

  static byte[] deviceLabels(Labels labels) {
    return bytes(
        String.join(
            ",",
            Lines.label("device", labels.device()),
            Lines.label("device_name", labels.deviceName()),
            Lines.label("product_name", labels.productName()),
            Lines.label("device_general_key", labels.generalKey())));
  }
}
