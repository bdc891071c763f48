package ecoflow.quota;

import static ecoflow.testkit.Eventually.eventually;
import static java.util.Arrays.asList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.quota.Family.Series;
import java.lang.ref.WeakReference;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class QuotaStoreTest {

  private static final String SN = "R331TEST0001";

  private final List<String> conflicts = new ArrayList<>();
  private long nanos = Long.MAX_VALUE - 5;
  private final QuotaStore store = newStore(1_000);

  private QuotaStore newStore(int maxSeries) {
    return TestStore.of(
        "online"::equals,
        (kind, serial, name) -> conflicts.add(kind + " " + serial + " " + name),
        () -> nanos,
        maxSeries,
        text -> Map.of());
  }

  private int record(String serial, Map<?, ?> quotas) {
    return TestStore.record(store, serial, quotas);
  }

  @Test
  void aFloodOfKeysDoesNotAffectKnownKeys() {
    QuotaStore small = newStore(10);
    TestStore.record(small, SN, map("soc", 1, "watts", 1));
    Map<String, Object> flood = new LinkedHashMap<>();
    for (int i = 0; i < 65_000; i++) {
      flood.put("made.up" + i, i);
    }
    flood.put("soc", 2);
    assertEquals(9, TestStore.record(small, SN, flood));
    assertEquals(10, small.size(SN));
    assertEquals(65_000 - 8, conflicts.size());
    assertTrue(conflicts.stream().allMatch(conflict -> conflict.startsWith("LIMIT ")));
    assertEquals(2, TestStore.record(small, SN, map("soc", 3, "watts", 4)));
  }

  /** The keys of values beyond the limit are not even read. */
  @Test
  void valuesBeyondTheLimitOfAMessageAreOnlyCounted() {
    Map<Object, Object> message = new LinkedHashMap<>();
    message.put("soc", 1);
    message.put("cells", Collections.nCopies(TestStore.MAX_VALUES, 3));
    message.put(
        new Object() {
          @Override
          public String toString() {
            throw new IllegalStateException("key was read");
          }
        },
        4);
    message.put("more", Map.of("a", 1));

    assertEquals(1_000, record(SN, message));

    assertEquals(1_000, store.size(SN));
    assertEquals(1, TestStore.value(store, SN, "soc", Duration.ofHours(1)));
    assertEquals(
        TestStore.MAX_VALUES + 2 - 1_000, conflicts.size(), "all numbers outside of objects");
    conflicts.clear();
    assertEquals(1, record(SN, map("soc", 2)), "the limit applies to each message");
    assertEquals(List.of(), conflicts);
  }

  @Test
  void numbersAndBooleansAreValues() {
    Map<String, Object> quotas = map("i", 85, "l", 9007199254740993L, "d", -0.5);
    quotas.put("big", new BigInteger("1000000000000000000000"));
    quotas.put("dec", new BigDecimal("1.25"));
    quotas.putAll(map("yes", true, "no", false));

    assertEquals(7, record(SN, quotas));
    assertSeries("big=1e21 d=-0.5 dec=1.25 i=85 l=9007199254740992 no=0 yes=1");
    assertEquals(7, store.size(SN));
  }

  @Test
  void otherTypesAreNotValues() {
    Map<String, Object> quotas = map("text", "5", "null", null, "bytes", new byte[] {1});
    quotas.putAll(map("nan", Double.NaN, "inf", Float.NEGATIVE_INFINITY));
    quotas.put("huge", BigInteger.TEN.pow(400));
    quotas.put("hugeDec", new BigDecimal("1e400"));

    assertEquals(0, record(SN, quotas));
    assertSeries("");
    assertEquals(List.of(), store.snapshot().families());
  }

  @Test
  void objectsAreJoinedWithDotsAndArraysBecomeIndexes() {
    record(
        SN,
        map(
            "pd", map("chgPowerAC", 3, "sub", map("x", 4)),
            "bms", List.of(map("cells", List.of(1, 2)), map("cells", List.of(3))),
            "grid", List.of(List.of(5), List.of(6, 7)),
            "a.b[3].c[0]", 8,
            "k[1]", map("v", 9),
            "m[01]", 10));
    assertSeries(
        """
        a_b_c[3,0]=8
        bms_cells[0,0]=1
        bms_cells[0,1]=2
        bms_cells[1,0]=3
        grid[0,0]=5
        grid[1,0]=6
        grid[1,1]=7
        k_v[1]=9
        m_01=10
        pd_chg_power_ac=3
        pd_sub_x=4
        """);
    assertEquals("a.b.c", store.snapshot().families().get(0).rawKey());
    assertEquals("grid", store.snapshot().families().get(2).rawKey());
  }

  @Test
  void indexesSortAsNumbers() {
    record(SN, map("a[10]", 1, "a[9]", 2, "a[0]", 3));
    assertEquals(
        List.of(List.of("0"), List.of("9"), List.of("10")),
        store.snapshot().families().get(0).series().stream().map(Series::indexes).toList());
  }

  @Test
  void keysWithoutANameAreDropped() {
    assertEquals(1, record(SN, map("", 1, "..", 2, "[0]", 3, "_", List.of(4), "x", 5)));
    assertSeries("x=5");
  }

  @Test
  void missingKeysAndMembersKeepTheirSeries() {
    record(SN, map("a", 1, "o", map("x", 2, "y", 3), "l", List.of(4)));
    record(SN, map("o", map("x", 5)));
    record(SN, map("o", map()));
    record(SN, map());
    assertSeries("a=1 l[0]=4 o_x=5 o_y=3");
  }

  @Test
  void otherTypesRemoveTheSeries() {
    for (Object value :
        asList(null, "text", Double.NaN, Double.POSITIVE_INFINITY, map("m", "x"), List.of(), "")) {
      record(SN, map("a", 1, "a.b", 1, "ab", 1, "o", map("x", 2, "y", 3), "keep", 4));
      record(SN, map("ab", value, "o", map("x", value)));
      assertSeries("a=1 a_b=1 keep=4 o_y=3");
    }
    assertEquals(List.of(), conflicts);
  }

  @Test
  void aContainerThatBecomesNullOrAStringLosesItsContent() {
    for (Object value : asList(null, "text", Double.NaN)) {
      record(SN, map("a", List.of(1, map("v", 2)), "ab", 5, "a1", 6, "b", map("x", 3)));
      record(SN, map("a", value, "b", value));
      assertSeries("a1=6 ab=5");
    }
  }

  @Test
  void aStringDoesNotRemoveItsMembersInTheSameMessage() {
    record(SN, map("a.b", 1, "a[0]", 2, "a", "text"));
    record(SN, map("a", "text", "a.b", 3, "a[0]", 4));
    record(SN, map("a[0]", 5, "a.b", 6, "a", "text"));
    assertSeries("a[0]=5 a_b=6");
  }

  @Test
  void aShorterArrayLosesItsSeries() {
    record(SN, map("a", List.of(1, 2, 3), "a[7].v", 9, "o", List.of(List.of(1, 2), List.of(3))));
    record(SN, map("a", List.of(4), "o", List.of(List.of(5))));
    assertSeries("a[0]=4 o[0,0]=5");
    record(SN, map("a", List.of(), "o", List.of(List.of())));
    assertSeries("");
  }

  @Test
  void aListReplacesThePreviousListMemberByMember() {
    record(SN, map("p", List.of(map("c", List.of(1, 2), "d", 3), map("c", List.of(4)))));
    record(SN, map("p[1].c", List.of(5)));
    assertSeries("p_c[0,0]=1 p_c[0,1]=2 p_c[1,0]=5 p_d[0]=3");
    record(SN, map("p", List.of(map("c", List.of(6)))));
    assertSeries("p_c[0,0]=6");
    record(SN, map("p", List.of(map())));
    assertSeries("");
  }

  @Test
  void anIndexCanBeASerialNumber() {
    record(SN, map("u[\"ES21B\"].soc", 1, "u[\"ES21A\"].soc", 2));
    record(SN, map("u[\"ES21A\"]", map("soc", 3, "cells", List.of(4))));
    assertSeries("u_cells[ES21A,0]=4 u_soc[ES21A]=3 u_soc[ES21B]=1");
  }

  @Test
  void minusZeroIsZero() {
    record(SN, map("a", -0.0));
    assertEquals("0.0", "" + store.snapshot().families().get(0).series().get(0).value());
  }

  @Test
  void arrayElementsThatAreNotNumbersAreRemoved() {
    record(SN, map("a", List.of(1, 2, 3)));
    record(SN, map("a", asList(4, null, "x")));
    assertSeries("a[0]=4");
  }

  @Test
  void theLatestOfTwoKeysWithTheSameNameIsShown() {
    record(SN, map("pd.soc", 1));
    record(SN, map("pd.soc", 2));
    assertEquals(List.of(), conflicts);
    record(SN, map("pd_soc", 3));
    record(SN, map("pd_soc", 4));
    assertEquals(List.of("SAME_NAME " + SN + " pd_soc"), conflicts);
    assertSeries("pd_soc=4");
    // Only the key that set the series can remove it.
    record(SN, map("pd.soc", null));
    assertSeries("pd_soc=4");
    record(SN, map("pd_soc", null));
    assertSeries("");
    record(SN, map("a.x[1]", 1, "a_x[2]", 2, "a_x[1]", 3));
    assertEquals(2, conflicts.size());
    assertSeries("a_x[1]=3 a_x[2]=2");
  }

  @Test
  void theLatestShapeOfANameIsShown() {
    String shape = "SHAPE " + SN + " a";
    record(SN, map("a", 1));
    record(SN, map("a", List.of(1, 2)));
    assertEquals(List.of(shape), conflicts);
    assertSeries("a[0]=1 a[1]=2");
    record(SN, map("a", List.of(List.of(3))));
    assertEquals(List.of(shape, shape), conflicts);
    assertSeries("a[0,0]=3");
    record(SN, map("a", 4));
    assertEquals(List.of(shape, shape, shape), conflicts);
    assertSeries("a=4");
    record(SN, map("a", asList("x", null)));
    assertSeries("");
  }

  @Test
  void devicesCanDifferInShape() {
    record("B", map("a", 1));
    record("A", map("a", List.of(2)));
    assertEquals(List.of(), conflicts);
    assertEquals(1, store.snapshot().families().size());
    Family family = store.snapshot().families().get(0);
    assertEquals("a", family.name());
    assertEquals("a", family.rawKey());
    assertEquals(
        List.of(new Series("A", List.of("0"), 2), new Series("B", List.of(), 1)), family.series());
  }

  @Test
  void exporterMetricsTakePrecedence() {
    assertEquals(0, record(SN, map("online", 1)));
    assertEquals(0, record(SN, map("online", "x", "Online", List.of(1, 2))));
    assertSeries("");
    assertEquals(Collections.nCopies(3, "OWN_METRIC " + SN + " online"), conflicts);
  }

  @Test
  void aNameThatBecomesAnExporterMetricIsRemoved() {
    AtomicBoolean own = new AtomicBoolean();
    QuotaStore other =
        TestStore.of(name -> own.get(), Conflicts.IGNORED, () -> 0, 10, text -> Map.of());
    TestStore.record(other, SN, map("a", 1));
    own.set(true);
    assertEquals(0, TestStore.record(other, SN, map("a", 2)));
    assertEquals(0, other.size(SN));
  }

  @Test
  void seriesBeyondTheLimitAreDropped() {
    QuotaStore small = newStore(2);
    assertEquals(2, TestStore.record(small, SN, map("a", 1, "b", 2, "c", 3)));
    assertEquals(List.of("LIMIT " + SN + " c"), conflicts);
    assertEquals(2, TestStore.record(small, SN, map("a", 4, "b", 5)));
    assertEquals(2, TestStore.record(small, "OTHER", map("a", 1, "b", 2)));
    // Removed and replaced series do not count towards the limit.
    assertEquals(1, TestStore.record(small, SN, map("a", null, "c", 6)));
    assertEquals(1, TestStore.record(small, SN, map("C", 7)));
    assertEquals(2, small.size(SN));
  }

  @Test
  void deeplyNestedPartsAreIgnored() {
    Object value = 1;
    for (int level = 0; level < 31; level++) {
      value = Map.of("k", value);
    }
    assertEquals(1, record(SN, map("k", value)));
    assertEquals(0, record("DEEPER", map("k", Map.of("k", value))));

    Map<String, Object> endless = new HashMap<>();
    endless.put("k", endless);
    assertEquals(0, record("ENDLESS", endless));
    assertEquals(0, record("LONG", map("k".repeat(1_001), 1)));
  }

  @Test
  void offlineDevicesLoseAllSeries() {
    record("A", map("a", 1, "b", 2));
    record("B", map("a", 3));
    assertEquals(List.of("A", "B"), serials());
    store.forget("A");
    store.forget("NEVER SEEN");
    assertEquals(0, store.size("A"));
    assertEquals(List.of("B"), serials());
  }

  @Test
  void seriesExpireByTheirLastUpdate() {
    Duration second = Duration.ofSeconds(1);
    record(SN, map("a", 1, "b", 2));
    record("OTHER", map("a", 1));
    nanos += second.toNanos();
    record(SN, map("b", 2));
    assertEquals(0, store.expire(SN, second));
    nanos += 1;
    assertEquals(1, store.expire(SN, second));
    assertSeries("b=2");
    assertEquals(List.of("OTHER", SN), serials());
    assertEquals(1, store.expire("OTHER", second));
    assertEquals(List.of(SN), serials());
    assertEquals(0, store.expire("NEVER SEEN", second));
    assertEquals(0, store.expire(SN, Duration.ofDays(1_000_000)));
  }

  private void computed() {
    store.addInput(SN, "sum", "a");
    store.addInput(SN, "sum", "b");
  }

  @Test
  void computedValuesAreRemovedWithTheirInputs() {
    computed();
    store.addInput(SN, "double", "sum");

    record(SN, map("a", 1, "b", 2, "c", 3, "sum", 3, "double", 6));
    record(SN, map("c", "none"));
    assertSeries("a=1 b=2 double=6 sum=3");
    record(SN, map("b", "none"));
    assertSeries("a=1");

    record(SN, map("b", 2, "sum", 3));
    assertSeries("a=1 b=2 sum=3");
    record(SN, map("sum", null));
    assertSeries("a=1 b=2");
    record(SN, map("sum", 3));
    store.forget(SN);
    record(SN, map("a", 1));
    assertSeries("a=1");
  }

  @Test
  void computedValuesAreNotOlderThanTheirInputs() {
    Duration second = Duration.ofSeconds(1);
    computed();
    record(SN, map("a", 1));
    nanos += second.toNanos() / 2;
    record(SN, map("b", 2, "sum", 3));
    nanos += second.toNanos() / 2 + 1;

    assertEquals(2, store.expire(SN, second));
    assertSeries("b=2");
  }

  @Test
  void expiredComputedValuesAreCountedOnce() {
    computed();
    record(SN, map("a", 1, "b", 2, "sum", 3));
    nanos += Duration.ofSeconds(1).toNanos() + 1;

    assertEquals(3, store.expire(SN, Duration.ofSeconds(1)));
    assertSeries("");
  }

  @Test
  void computedValuesDoNotCountAsSentByTheDevice() {
    assertEquals(3, record(SN, map("a", 1, "b", 2, "sum", 3)));
    computed();
    assertEquals(2, record(SN, map("a", 1, "b", 2, "sum", 3)));
    store.forget(SN);
    assertEquals(0, record(SN, map("sum", 3)));
    store.addInput(SN, "itself", "itself");
    record(SN, map("itself", 1));
    record(SN, map("itself", "none"));
    assertSeries("sum=3");
  }

  @Test
  void aValueIsReturnedUntilItExpires() {
    record(SN, map("a", 1));
    nanos += Duration.ofSeconds(1).toNanos();

    assertEquals(1, TestStore.value(store, SN, "a", Duration.ofSeconds(1)));
    assertNull(TestStore.value(store, SN, "b", Duration.ofSeconds(1)));
    assertNull(TestStore.value(store, "OTHER", "a", Duration.ofSeconds(1)));
    nanos++;
    assertNull(TestStore.value(store, SN, "a", Duration.ofSeconds(1)));
  }

  @Test
  void readersSeeCompleteMessages() throws InterruptedException {
    Thread writer =
        new Thread(
            () -> {
              for (int i = 0; i < 5_000; i++) {
                record(SN, map("a", i, "b", i, "c", i % 2 == 0 ? List.of(i) : List.of()));
              }
            });
    writer.start();
    while (writer.isAlive()) {
      Map<String, Double> seen = seen();
      assertEquals(seen.get("a"), seen.get("b"));
      if (seen.containsKey("a")) {
        assertEquals(seen.get("a") % 2 == 0 ? seen.get("a") : null, seen.get("c[0]"));
      }
    }
    writer.join();
  }

  /** Keeps the order of the arguments; values can be null. */
  private static Map<String, Object> map(Object... keysAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return map;
  }

  private Map<String, Double> seen() {
    Map<String, Double> seen = new TreeMap<>();
    for (Family family : store.snapshot().families()) {
      for (Series series : family.series()) {
        if (series.serial().equals(SN)) {
          seen.put(
              series.indexes().isEmpty()
                  ? family.name()
                  : family.name() + "[" + String.join(",", series.indexes()) + "]",
              series.value());
        }
      }
    }
    return seen;
  }

  /**
   * Asserts that the device has exactly these series.
   *
   * @param series words such as {@code soc=81} or {@code cells[0,1]=3}
   */
  private void assertSeries(String series) {
    Map<String, Double> expected = new TreeMap<>();
    for (String word : series.split("\\s+")) {
      if (!word.isEmpty()) {
        int equals = word.lastIndexOf('=');
        expected.put(word.substring(0, equals), Double.valueOf(word.substring(equals + 1)));
      }
    }
    assertEquals(expected, seen());
    assertEquals(expected.size(), store.size(SN));
  }

  private List<String> serials() {
    return store.snapshot().families().stream()
        .flatMap(family -> family.series().stream())
        .map(Series::serial)
        .distinct()
        .sorted()
        .toList();
  }

  /** The memory for keys must not depend on the length of unusable keys. */
  @Test
  void aTooLongKeyIsNotStored() {
    WeakReference<String> key = recordKey("k".repeat(100_000));
    assertEquals(Map.of("a", 1.0), store.values("SN"));
    eventually(
        () -> {
          System.gc();
          assertNull(key.get());
        });
  }

  private WeakReference<String> recordKey(String key) {
    record("SN", Map.of(key, 1, "a", 1));
    return new WeakReference<>(key);
  }
}
