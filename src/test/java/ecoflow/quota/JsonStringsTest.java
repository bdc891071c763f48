package ecoflow.quota;

import static java.util.Arrays.asList;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Values in JSON strings: they do not have series, but are among all values of a device. */
class JsonStringsTest {

  private static final String SN = "HJ32TEST00000001";
  private static final int MAX_SERIES = 6;

  /** The parsed objects of the strings in the tests. */
  private static final Map<String, Map<?, ?>> OBJECTS =
      Map.of(
          "a=1", Map.of("a", 1),
          "a=2,b=3", Map.of("a", 2, "b", true, "c", List.of(Map.of("d", 3))),
          "nested", Map.of("inner", "a=1"),
          "many", Map.of("l", List.of(1, 2, 3, 4, 5, 6, 7)));

  private long nanos = Long.MAX_VALUE - 5;
  private final List<String> conflicts = new ArrayList<>();
  private final QuotaStore store =
      TestStore.of(
          name -> false,
          (kind, serial, name) -> conflicts.add(kind + " " + name),
          () -> nanos,
          MAX_SERIES,
          text -> OBJECTS.getOrDefault(text, Map.of()));

  private int record(Object... keysAndValues) {
    return TestStore.record(store, SN, map(keysAndValues));
  }

  private static Map<String, Object> map(Object... keysAndValues) {
    Map<String, Object> map = new HashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return map;
  }

  private Map<String, Double> all() {
    DeviceValues values = store.valuesOf(SN);
    Map<String, Double> all = new TreeMap<>();
    for (int i = 0; i < values.keys().length; i++) {
      all.put(values.keys()[i], values.values()[i]);
    }
    return all;
  }

  private List<String> names() {
    return store.snapshot().families().stream().map(Family::name).toList();
  }

  @Test
  void theyDoNotHaveSeries() {
    store.changes(SN);
    assertEquals(4, record("bp", "a=2,b=3", "soc", 5));
    assertEquals(Map.of("bp.a", 2.0, "bp.b", 1.0, "bp.c[0].d", 3.0, "soc", 5.0), all());
    assertEquals(List.of("soc"), names());
    assertEquals(1, store.size(SN));
    assertEquals(Map.of("soc", 5.0), store.values(SN));
    assertEquals(Map.of("soc", 5.0), store.changes(SN));
    assertEquals(null, TestStore.value(store, SN, "bp.a", Duration.ofHours(1)));
    List<String> notifications = new ArrayList<>();
    store.watch(
        new SeriesWatcher() {
          @Override
          public void added(SeriesWatcher.Series series) {
            notifications.add("+" + series.name());
          }

          @Override
          public void removed(SeriesWatcher.Series series) {
            notifications.add("-" + series.name());
          }
        });
    record("bp2", "a=1");
    store.forget(SN);
    assertEquals(List.of("+soc", "-soc"), notifications);
  }

  @Test
  void aStringReplacesThePreviousOne() {
    record("bp", "a=2,b=3", "other", "a=1");
    record("bp", "a=1");
    assertEquals(Map.of("bp.a", 1.0, "other.a", 1.0), all());
    for (Object end : asList(null, "", "nothing", 7, List.of())) {
      record("bp", "a=1");
      record("bp", end);
      assertEquals(null, all().get("bp.a"), () -> "after " + end);
    }
    record("other", "nested");
    assertEquals(Map.of("other.inner.a", 1.0), all());
    record("unrelated", 1);
    assertEquals(1.0, all().get("other.inner.a"));
  }

  @Test
  void aKeyCanBeInsideAndOutsideAString() {
    record("bp", "a=1");
    assertEquals(1, record("bp", map("a", 8)));
    assertEquals(List.of("bp_a"), names());
    assertEquals(1, record("bp", "a=1"));
    assertEquals(List.of(), names());
    assertEquals(Map.of("bp.a", 1.0), all());
    assertEquals(List.of(), conflicts);
  }

  @Test
  void aSeriesThatMovesIntoAStringIsARemovedSeries() {
    record("bp", map("a", 8));
    assertEquals(Map.of("bp.a", 8.0), store.changes(SN));
    record("bp", "a=1");
    assertEquals(Collections.singletonMap("bp.a", null), store.changes(SN));
  }

  @Test
  void theyAreRemovedLikeSeries() {
    record("bp", "a=1");
    nanos += TimeUnit.SECONDS.toNanos(100);
    record("soc", 1);
    assertEquals(1, store.expire(SN, Duration.ofSeconds(99)));
    assertEquals(Map.of("soc", 1.0), all());
    record("bp", "a=1");
    store.forget(SN);
    assertEquals(Map.of(), all());
    assertEquals(0, store.size(SN));
    record("bp", "a=1", "soc", 2);
    assertEquals(Map.of("bp.a", 1.0, "soc", 2.0), all());
    assertEquals(1, store.size(SN));
  }

  @Test
  void theyDoNotCountAsSeries() {
    record("bp", "many");
    assertEquals(MAX_SERIES, all().size());
    record("t", 1, "u", 2, "v", 3, "w", 4, "x", 5, "y", 6, "z", 7);
    assertEquals(MAX_SERIES, names().size());
    assertEquals(2 * MAX_SERIES, all().size());
    assertEquals(1, conflicts.size());
  }

  @Test
  void aPollDoesNotOverwriteAPushedValue() {
    TestStore.record(store, SN, map("bp", "a=2,b=3"), Origin.PUSH);
    TestStore.record(store, SN, map("bp", "a=1"), Origin.POLL);
    assertEquals(2.0, all().get("bp.a"));
    nanos += TimeUnit.SECONDS.toNanos(120);
    TestStore.record(store, SN, map("bp", "a=1"), Origin.POLL);
    assertEquals(Map.of("bp.a", 1.0), all());
  }
}
