package ecoflow.testkit;

import static ecoflow.testkit.Series.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Parses a page of the Prometheus text format 0.0.4 or of OpenMetrics 1.0 and rejects everything
 * that these formats do not allow, even if Prometheus itself would accept it. Also rejects
 * timestamps and exemplars, which the exporter never writes.
 */
public final class StrictPage {

  /** One metric with its HELP and TYPE. */
  public record Family(String name, String help, String type, List<Series> series) {}

  private static final Pattern META =
      Pattern.compile("# (HELP|TYPE|UNIT) (" + Series.NAME + ")(?: (.*))?");
  private static final Set<String> TEXT_TYPES = Set.of("counter", "gauge", "histogram");
  private static final Set<String> OPEN_METRICS_TYPES =
      Set.of("counter", "gauge", "histogram", "info");

  private final boolean openMetrics;
  private final Map<String, Family> families = new LinkedHashMap<>();

  /** All names that a family reserves with its suffixes: no other family may use them. */
  private final Set<String> reservedNames = new HashSet<>();

  private final Set<String> seen = new HashSet<>();
  private String name;
  private String help;
  private Family current;

  private StrictPage(boolean openMetrics) {
    this.openMetrics = openMetrics;
  }

  /** All families by name, in the order of the page. */
  public static Map<String, Family> read(String page, boolean openMetrics) {
    return new StrictPage(openMetrics).readAll(page);
  }

  private Map<String, Family> readAll(String page) {
    check(page.endsWith("\n"), "no line end after the last line", "");
    List<String> lines = new ArrayList<>(List.of(page.split("\n", -1)));
    lines.remove(lines.size() - 1);
    if (openMetrics) {
      String last = lines.remove(lines.size() - 1);
      check(last.equals("# EOF"), "no # EOF", last);
    }
    lines.forEach(this::readLine);
    endFamily();
    return families;
  }

  private void readLine(String line) {
    Matcher meta = META.matcher(line);
    if (meta.matches()) {
      readMeta(line, meta.group(1), meta.group(2), meta.group(3));
      return;
    }
    check(!line.startsWith("#"), "comment", line);
    Series read = Series.read(line);
    check(current != null, "series before its TYPE", line);
    check(belongs(read), "series outside its family", line);
    check(seen.add(read.name() + new TreeMap<>(read.labels())), "duplicate series", line);
    current.series().add(read);
  }

  private void readMeta(String line, String keyword, String family, String text) {
    if (!family.equals(name)) {
      endFamily();
      check(!families.containsKey(family), "duplicate family", line);
      name = family;
    }
    check(current == null || current.series().isEmpty(), "series before HELP or TYPE", line);
    check(text != null && !text.isEmpty(), "empty text", line);
    switch (keyword) {
      case "HELP" -> {
        check(help == null, "duplicate HELP", line);
        checkEscapes(text, line);
        help = text;
      }
      case "TYPE" -> {
        check(current == null, "duplicate TYPE", line);
        check((openMetrics ? OPEN_METRICS_TYPES : TEXT_TYPES).contains(text), "unknown type", line);
        current = new Family(name, "", text, new ArrayList<>());
      }
      default -> check(openMetrics && family.endsWith("_" + text), "unexpected unit", line);
    }
  }

  private void endFamily() {
    if (name == null) {
      return;
    }
    check(help != null && current != null, "missing HELP or TYPE", name);
    List<String> reserved = new ArrayList<>(suffixes(current.type()));
    if (openMetrics && List.of("counter", "histogram").contains(current.type())) {
      // Reserved even if it is not written.
      reserved.add("_created");
    }
    for (String suffix : reserved) {
      check(reservedNames.add(name + suffix), "name used by two families", name + suffix);
    }
    if (current.type().equals("histogram")) {
      checkHistogram(current);
    }
    if (current.type().equals("counter")) {
      for (Series series : current.series()) {
        check(series.value() >= 0, "negative counter", series.toString());
      }
    }
    families.put(name, new Family(name, help, current.type(), current.series()));
    name = null;
    help = null;
    current = null;
  }

  /** The suffixes of the family's series; "" is also reserved by the family's own name. */
  private List<String> suffixes(String type) {
    return switch (type) {
      case "histogram" -> List.of("", "_bucket", "_count", "_sum");
      case "counter" -> openMetrics ? List.of("", "_total") : List.of("");
      case "info" -> List.of("", "_info");
      default -> List.of("");
    };
  }

  private boolean belongs(Series series) {
    List<String> suffixes = suffixes(current.type());
    // A family has a series without a suffix only if it has no other suffixes.
    List<String> allowed = suffixes.size() == 1 ? suffixes : suffixes.subList(1, suffixes.size());
    return allowed.stream().anyMatch(suffix -> series.name().equals(name + suffix))
        && (series.name().endsWith("_bucket") && current.type().equals("histogram"))
            == series.labels().containsKey("le");
  }

  private void checkEscapes(String text, String line) {
    String allowed = openMetrics ? "([^\"\\\\]|\\\\[\"\\\\n])*" : "([^\\\\]|\\\\[\\\\n])*";
    check(text.matches(allowed), "invalid escape", line);
  }

  /**
   * Buckets increase in le and in count; the +Inf bucket equals the count; each histogram has a
   * sum.
   */
  private static void checkHistogram(Family family) {
    Map<Map<String, String>, List<Series>> byLabels = new HashMap<>();
    for (Series series : family.series()) {
      Map<String, String> labels = new HashMap<>(series.labels());
      labels.remove("le");
      byLabels.computeIfAbsent(labels, unused -> new ArrayList<>()).add(series);
    }
    byLabels.forEach(
        (labels, all) -> {
          String where = family.name() + labels;
          List<Series> buckets =
              all.stream().filter(series -> series.name().endsWith("_bucket")).toList();
          for (int i = 1; i < buckets.size(); i++) {
            check(le(buckets.get(i - 1)) < le(buckets.get(i)), "buckets not sorted", where);
            check(
                buckets.get(i - 1).value() <= buckets.get(i).value(), "decreasing buckets", where);
          }
          Series last = buckets.get(buckets.size() - 1);
          check(last.labels().get("le").equals("+Inf"), "no +Inf bucket", where);
          check(
              one(all, family.name() + "_count").value() == last.value(),
              "unexpected count",
              where);
          check(one(all, family.name() + "_sum").value() >= 0, "negative sum", where);
        });
  }

  private static Series one(List<Series> all, String name) {
    List<Series> found = all.stream().filter(series -> series.name().equals(name)).toList();
    check(found.size() == 1, "expected one " + name, found.toString());
    return found.get(0);
  }

  private static double le(Series bucket) {
    return Series.number(bucket.labels().get("le"));
  }
}
