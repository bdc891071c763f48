package ecoflow.quota;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A poll does not overwrite recently pushed values, because it can be minutes behind. */
class PushBeforePollTest {

  private static final String SN = "R351TEST0001";

  private long nanos = Long.MAX_VALUE - 5;
  private final QuotaStore store =
      TestStore.of(name -> false, Conflicts.IGNORED, () -> nanos, 1_000, text -> Map.of());

  private void record(Origin origin, Map<String, ?> quotas) {
    TestStore.record(store, SN, quotas, origin);
  }

  @Test
  void aPushTakesPrecedenceForItsKeysForTwoMinutes() {
    record(Origin.POLL, Map.of("soc", 50, "watts", 5));
    record(Origin.PUSH, Map.of("soc", 51));
    nanos += TimeUnit.SECONDS.toNanos(119);
    record(Origin.POLL, Map.of("soc", 49, "watts", 6, "temp", 7));
    assertEquals(Map.of("soc", 51.0, "watts", 6.0, "temp", 7.0), store.values(SN));
    nanos += TimeUnit.SECONDS.toNanos(1);
    record(Origin.POLL, Map.of("soc", 49));
    assertEquals(49, store.values(SN).get("soc"));
  }

  @Test
  void aNewerPushReplacesAPush() {
    record(Origin.PUSH, Map.of("soc", 51));
    record(Origin.PUSH, Map.of("soc", 52));
    assertEquals(52, store.values(SN).get("soc"));
  }

  @Test
  void aPollReplacesAPoll() {
    record(Origin.PUSH, Map.of("watts", 1));
    record(Origin.POLL, Map.of("soc", 51));
    record(Origin.POLL, Map.of("soc", 52));
    assertEquals(52, store.values(SN).get("soc"));
  }

  @Test
  void aListIsASingleValue() {
    record(Origin.POLL, Map.of("cells", List.of(1, 2, 3)));
    record(Origin.PUSH, Map.of("cells", List.of(4, 5)));
    record(Origin.POLL, Map.of("cells", List.of(1, 2, 3)));
    assertEquals(Map.of("cells[0]", 4.0, "cells[1]", 5.0), store.values(SN));
  }

  @Test
  void membersOfAnObjectAreSeparateValues() {
    record(Origin.POLL, Map.of("pack", Map.of("soc", 1, "watts", 2)));
    record(Origin.PUSH, Map.of("pack", Map.of("soc", 3)));
    record(Origin.POLL, Map.of("pack", Map.of("soc", 1, "watts", 4)));
    assertEquals(Map.of("pack.soc", 3.0, "pack.watts", 4.0), store.values(SN));
    // Like the phases of PowerOcean: an object in pushes, a JSON string in polls.
    record(Origin.POLL, Map.of("pack", "{}"));
    assertEquals(3, store.values(SN).get("pack.soc"));
    nanos += TimeUnit.MINUTES.toNanos(2);
    record(Origin.POLL, Map.of("pack", "{}"));
    assertEquals(Map.of(), store.values(SN));
  }

  @Test
  void aStringInAPollDoesNotRemoveAPushedValue() {
    record(Origin.PUSH, Map.of("soc", 51, "cells", List.of(4)));
    record(Origin.POLL, Map.of("soc", "none", "cells", "none"));
    assertEquals(Map.of("soc", 51.0, "cells[0]", 4.0), store.values(SN));
    record(Origin.PUSH, Map.of("soc", "none", "cells", "none"));
    assertEquals(Map.of(), store.values(SN));
  }

  @Test
  void anotherKeyInAPollDoesNotReplaceTheSeries() {
    record(Origin.PUSH, Map.of("pd.soc", 51, "cells", List.of(4)));
    record(Origin.POLL, Map.of("pd_soc", 50, "cells", 3));
    assertEquals(Map.of("pd.soc", 51.0, "cells[0]", 4.0), store.values(SN));
    nanos += TimeUnit.MINUTES.toNanos(2);
    record(Origin.POLL, Map.of("pd_soc", 50));
    assertEquals(50, store.values(SN).get("pd_soc"));
  }

  @Test
  void aMessageOfAUsersRouteIsNotAPush() {
    record(Origin.OTHER, Map.of("soc", 51));
    record(Origin.POLL, Map.of("soc", 50));
    assertEquals(50, store.values(SN).get("soc"));
  }
}
