package ecoflow.quota;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A poll does not overwrite recently pushed values, because it can be minutes behind. */
class PushBeforePollTest {

  private static final String SN = "R351TEST0001";

  private long nanos = Long.MAX_VALUE - 5;
  private final QuotaStore store =
      new QuotaStore(
          name -> false,
          (kind, serial, name) -> {},
          () -> nanos,
          1_000,
          50_000,
          Duration.ofMinutes(2),
          text -> Map.of());

  private void take(Origin origin, Map<String, ?> quotas) {
    store.record(SN, quotas, Conflicts.IGNORED, origin);
  }

  @Test
  void aPushTakesPrecedenceForItsKeysForTwoMinutes() {
    take(Origin.POLL, Map.of("soc", 50, "watts", 5));
    take(Origin.PUSH, Map.of("soc", 51));
    nanos += TimeUnit.SECONDS.toNanos(119);
    take(Origin.POLL, Map.of("soc", 49, "watts", 6, "temp", 7));
    assertEquals(Map.of("soc", 51.0, "watts", 6.0, "temp", 7.0), store.values(SN));
    nanos += TimeUnit.SECONDS.toNanos(1);
    take(Origin.POLL, Map.of("soc", 49));
    assertEquals(49, store.values(SN).get("soc"));
  }

  @Test
  void aNewerPushReplacesAPush() {
    take(Origin.PUSH, Map.of("soc", 51));
    take(Origin.PUSH, Map.of("soc", 52));
    assertEquals(52, store.values(SN).get("soc"));
  }

  @Test
  void aPollReplacesAPoll() {
    take(Origin.PUSH, Map.of("watts", 1));
    take(Origin.POLL, Map.of("soc", 51));
    take(Origin.POLL, Map.of("soc", 52));
    assertEquals(52, store.values(SN).get("soc"));
  }

  @Test
  void aListIsASingleValue() {
    take(Origin.POLL, Map.of("cells", List.of(1, 2, 3)));
    take(Origin.PUSH, Map.of("cells", List.of(4, 5)));
    take(Origin.POLL, Map.of("cells", List.of(1, 2, 3)));
    assertEquals(Map.of("cells[0]", 4.0, "cells[1]", 5.0), store.values(SN));
  }

  @Test
  void membersOfAnObjectAreSeparateValues() {
    take(Origin.POLL, Map.of("pack", Map.of("soc", 1, "watts", 2)));
    take(Origin.PUSH, Map.of("pack", Map.of("soc", 3)));
    take(Origin.POLL, Map.of("pack", Map.of("soc", 1, "watts", 4)));
    assertEquals(Map.of("pack.soc", 3.0, "pack.watts", 4.0), store.values(SN));
    // Like the phases of PowerOcean: an object in pushes, a JSON string in polls.
    take(Origin.POLL, Map.of("pack", "{}"));
    assertEquals(3, store.values(SN).get("pack.soc"));
    nanos += TimeUnit.MINUTES.toNanos(2);
    take(Origin.POLL, Map.of("pack", "{}"));
    assertEquals(Map.of(), store.values(SN));
  }

  @Test
  void aStringInAPollDoesNotRemoveAPushedValue() {
    take(Origin.PUSH, Map.of("soc", 51, "cells", List.of(4)));
    take(Origin.POLL, Map.of("soc", "none", "cells", "none"));
    assertEquals(Map.of("soc", 51.0, "cells[0]", 4.0), store.values(SN));
    take(Origin.PUSH, Map.of("soc", "none", "cells", "none"));
    assertEquals(Map.of(), store.values(SN));
  }

  @Test
  void anotherKeyInAPollDoesNotReplaceTheSeries() {
    take(Origin.PUSH, Map.of("pd.soc", 51, "cells", List.of(4)));
    take(Origin.POLL, Map.of("pd_soc", 50, "cells", 3));
    assertEquals(Map.of("pd.soc", 51.0, "cells[0]", 4.0), store.values(SN));
    nanos += TimeUnit.MINUTES.toNanos(2);
    take(Origin.POLL, Map.of("pd_soc", 50));
    assertEquals(50, store.values(SN).get("pd_soc"));
  }

  @Test
  void aMessageOfAUsersRouteIsNotAPush() {
    take(Origin.OTHER, Map.of("soc", 51));
    take(Origin.POLL, Map.of("soc", 50));
    assertEquals(50, store.values(SN).get("soc"));
  }
}
