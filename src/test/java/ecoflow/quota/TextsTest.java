package ecoflow.quota;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Texts in the store: all keys that start with {@code text.} have one. */
class TextsTest {

  private static final String SN = "R331TEST0001";
  private static final Duration LIFE = Duration.ofNanos(10);

  private final List<String> conflicts = new ArrayList<>();
  private long nanos;
  private final QuotaStore store =
      TestStore.of(
          name -> false,
          (kind, serial, name) -> conflicts.add(kind + " " + name),
          () -> nanos,
          1_000,
          text -> text.startsWith("{") ? Map.of("a", 1, "name", 2) : Map.of());

  private int record(Map<?, ?> quotas) {
    return TestStore.record(store, SN, quotas);
  }

  private void recordAt(long at, Map<?, ?> quotas) {
    store.record(SN, quotas, Conflicts.IGNORED, Origin.OTHER, Map.of(), at, false);
  }

  private Map<String, String> texts() {
    return store.textsOf(SN);
  }

  @Test
  void aTextIsNotAValue() {
    assertEquals(1, record(Map.of("text.a", "A", "text.b", "B", "other", "C", "soc", 5)));
    assertEquals(Map.of("text.a", "A", "text.b", "B"), texts());
    assertEquals(1, store.size(SN));
    assertEquals(Map.of("soc", 5.0), store.values(SN));
    assertEquals(Map.of("soc", 5.0), store.changes(SN));
    assertEquals(List.of("soc"), List.of(store.valuesOf(SN).keys()));
    assertEquals(1, store.snapshot().families().size());
  }

  @Test
  void theNewestValueDecidesWhetherItIsATextOrANumber() {
    record(Map.of("text.a", "A"));
    record(Map.of("text.a", 1));
    assertEquals(Map.of(), texts());
    assertEquals(Map.of("text.a", 1.0), store.values(SN));
    record(Map.of("text.a", "B"));
    assertEquals(Map.of("text.a", "B"), texts());
    assertEquals(Map.of(), store.values(SN));
    record(Map.of("text.a", "{json}"));
    assertEquals(Map.of("text.a", "{json}"), texts());
    record(Map.of("text.a", List.of(1, 2)));
    assertEquals(Map.of(), texts());
    record(Map.of("text.a", "C"));
    assertEquals(Map.of(), store.values(SN));
    record(Collections.singletonMap("text.a", null));
    assertEquals(Map.of(), texts());
    record(Map.of("text.a", "D"));
    record(Map.of("text.a", "  "));
    assertEquals(Map.of(), texts());
  }

  @Test
  void aPartialUpdateKeepsTheTextsOfAnObject() {
    record(Map.of("text", Map.of("name", "A", "watts", 5), "string", "{json}"));
    record(Map.of("text", Map.of("watts", 6)));
    assertEquals(Map.of("text.name", "A"), texts());
    assertEquals(Map.of("text.watts", 6.0), store.values(SN));
    // Values in a JSON string replace the texts of an object.
    record(Map.of("text", "{json}"));
    assertEquals(Map.of(), texts());
    assertEquals(0, store.size(SN));
    record(Map.of("text", Map.of("name", "B")));
    assertEquals(Map.of("text.name", "B"), texts());
  }

  @Test
  void aListReplacesTheTextsOfThePreviousList() {
    record(Map.of("text.list", List.of(Map.of("name", "A"), Map.of("name", "B"))));
    assertEquals(2, texts().size());
    record(Map.of("text.list", List.of(Map.of("watts", 5))));
    assertEquals(Map.of(), texts());
  }

  @Test
  void anOutdatedTextIsRemovedLikeAGauge() {
    record(Map.of("text.a", "A", "text.b", "B"));
    nanos = 6;
    record(Map.of("text.a", "A"));
    nanos = 12;
    assertEquals(1, store.expire(SN, LIFE));
    assertEquals(Map.of("text.a", "A"), texts());
    store.forget(SN);
    assertEquals(Map.of(), texts());
    record(Map.of("text.c", "C"));
    assertEquals(Map.of("text.c", "C"), texts());
    store.conceal(SN, true);
    assertEquals(Map.of(), texts());
    store.conceal(SN, false);
    assertEquals(Map.of("text.c", "C"), texts());
  }

  @Test
  void aMessageThatWasReceivedEarlierDoesNotReplaceATextOrItsNeighbours() {
    recordAt(10, Map.of("text", Map.of("name", "New")));
    recordAt(5, Map.of("text", Map.of("name", "Old", "watts", 7)));
    assertEquals(Map.of("text.name", "New"), texts());
    assertEquals(Map.of("text.watts", 7.0), store.values(SN));
    recordAt(20, Map.of("text.name", 0));
    recordAt(15, Map.of("text.name", "Late"));
    assertEquals(Map.of(), texts());
  }

  @Test
  void theNumberAndTheLengthAreLimited() {
    for (int i = 0; i < 60; i++) {
      record(Map.of("text." + i, "x".repeat(200)));
    }
    assertEquals(50, texts().size());
    assertEquals(10, conflicts.size());
    assertEquals("x".repeat(100), texts().get("text.0"));
    record(Map.of("text.0", "y", "text.55", 1));
    assertEquals("y", texts().get("text.0"));
    record(Collections.singletonMap("text.0", null));
    record(Map.of("text.59", "z"));
    assertEquals("z", texts().get("text.59"));
  }
}
