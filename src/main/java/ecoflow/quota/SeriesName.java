package ecoflow.quota;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The names of series, identical to those of the Python exporter, and their indexes. */
final class SeriesName {

  private static final int MAX_CACHED = 2_000;
  private static final int MAX_CACHED_LENGTH = 200;

  private static final Pattern SEPARATORS = Pattern.compile("[.\\[\\]_]+");
  private static final Pattern OUTER_UNDERSCORES = Pattern.compile("^_|_\\z");

  /**
   * The start of a word in camel case: before the last capital of "ACPower" and after the lowercase
   * letter of "chgPower". With lookarounds instead of matching words, the time remains linear for
   * long sequences of capitals.
   */
  private static final Pattern WORD_START =
      Pattern.compile("(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z\\p{Nd}])(?=[A-Z])");

  private static final Pattern NOT_ALLOWED = Pattern.compile("[^a-z0-9_:]");

  /** An index: the position in a list or, in quotes, the serial number that an item contains. */
  private static final Pattern INDEX =
      Pattern.compile("\\[(?:(0|[1-9][0-9]{0,9})|\"([A-Za-z0-9]{1,40})\")\\]");

  private static final Map<String, String> CACHE = new ConcurrentHashMap<>();

  private SeriesName() {}

  /**
   * The name without the exporter's prefix; empty if the key does not contain any character for a
   * name.
   *
   * @param rawKey the quota key without array indexes, such as pd.chgPowerAC
   */
  static String of(String rawKey) {
    String known = CACHE.get(rawKey);
    if (known != null) {
      return known;
    }
    String name = convert(rawKey);
    if (rawKey.length() <= MAX_CACHED_LENGTH) {
      // Devices have a few hundred keys; only forged keys fill the cache.
      if (CACHE.size() >= MAX_CACHED) {
        CACHE.clear();
      }
      CACHE.put(rawKey, name);
    }
    return name;
  }

  private static String convert(String rawKey) {
    String name = SEPARATORS.matcher(rawKey).replaceAll("_");
    name = OUTER_UNDERSCORES.matcher(name).replaceAll("");
    name = WORD_START.matcher(name).replaceAll("_");
    name = name.toLowerCase(Locale.ROOT);
    return NOT_ALLOWED.matcher(name).replaceAll("_");
  }

  static String withoutIndexes(String rawKey) {
    return rawKey.indexOf('[') < 0 ? rawKey : INDEX.matcher(rawKey).replaceAll("");
  }

  /** The indexes in a key, outermost first. */
  static List<String> indexesOf(String rawKey) {
    return rawKey.indexOf('[') < 0
        ? List.of()
        : INDEX.matcher(rawKey).results().map(SeriesName::indexOf).toList();
  }

  private static String indexOf(MatchResult index) {
    return index.group(1) == null ? index.group(2) : index.group(1);
  }
}
