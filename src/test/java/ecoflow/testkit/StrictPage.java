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
  private final Set<String> claimed = new HashSet<>();

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
    check(page.endsWith("\n"), "the last line does not end", "");
    List<String> lines = new ArrayList<>(List.of(page.split("\n", -1)));
    lines.remove(lines.size() - 1);
    if (openMetrics) {
      String last = lines.remove(lines.size() - 1);
      check(last.equals("# EOF"), "not the end", last);
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
    check(!line.startsWith("#"), "a comment", line);
    Series read = Series.read(line);
    check(current != null, "a series before its TYPE", line);
    check(belongs(read), "a series outside its family", line);
    check(seen.add(read.name() + new TreeMap<>(read.labels())), "a series twice", line);
    current.series().add(read);
  }

  private void readMeta(String line, String keyword, String family, String text) {
    if (!family.equals(name)) {
      endFamily();
      check(!families.containsKey(family), "a family twice", line);
      name = family;
    }
    check(current == null || current.series().isEmpty(), "a series before HELP or TYPE", line);
    check(text != null && !text.isEmpty(), "nothing said", line);
    switch (keyword) {
      case "HELP" -> {
        check(help == null, "two HELP", line);
        checkEscapes(text, line);
        help = text;
      }
      case "TYPE" -> {
        check(current == null, "two TYPE", line);
        check((openMetrics ? OPEN_METRICS_TYPES : TEXT_TYPES).contains(text), "the type", line);
        current = new Family(name, "", text, new ArrayList<>());
      }
      default -> check(openMetrics && family.endsWith("_" + text), "the unit", line);
    }
  }

  private void endFamily() {
    if (name == null) {
      return;
    }
    check(help != null && current != null, "HELP or TYPE lacks", name);
    List<String> claims = new ArrayList<>(suffixes(current.type()));
    if (openMetrics && List.of("counter", "histogram").contains(current.type())) {
      // Reserved even if it is not written.
      claims.add("_created");
    }
    for (String suffix : claims) {
      check(claimed.add(name + suffix), "a name of two families", name + suffix);
    }
    if (current.type().equals("histogram")) {
      checkHistogram(current);
    }
    if (current.type().equals("counter")) {
      for (Series series : current.series()) {
        check(series.value() >= 0, "a negative counter", series.toString());
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
    check(text.matches(allowed), "an escape", line);
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
            check(le(buckets.get(i - 1)) < le(buckets.get(i)), "the order of buckets", where);
            check(buckets.get(i - 1).value() <= buckets.get(i).value(), "the buckets", where);
          }
          Series last = buckets.get(buckets.size() - 1);
          check(last.labels().get("le").equals("+Inf"), "no +Inf", where);
          check(one(all, family.name() + "_count").value() == last.value(), "the count", where);
          check(one(all, family.name() + "_sum").value() >= 0, "the sum", where);
        });
  }

  private static Series one(List<Series> all, String name) {
    List<Series> found = all.stream().filter(series -> series.name().equals(name)).toList();
    check(found.size() == 1, "not one " + name, found.toString());
    return found.get(0);
  }

  private static double le(Series bucket) {
    return Series.number(bucket.labels().get("le"));
  }
}
