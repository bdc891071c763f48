package ecoflow.quota;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A store without routes, for tests of its readers and writers. */
public final class TestStore {

  private final QuotaStore store =
      new QuotaStore(
          name -> false,
          (kind, serial, name) -> {},
          () -> 0L,
          10_000,
          50_000,
          Duration.ofMinutes(2),
          text -> Map.of());

  public void record(String serial, Map<?, ?> quotas) {
    store.record(serial, quotas);
  }

  public void forget(String serial) {
    store.forget(serial);
  }

  public List<Family> snapshot() {
    return store.snapshot().families();
  }
}
