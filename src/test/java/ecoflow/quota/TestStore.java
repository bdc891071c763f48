package ecoflow.quota;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/** A store without routes, for tests of its readers and writers. */
public final class TestStore {

  static final int MAX_VALUES = 70_000;

  private final QuotaStore store =
      of(name -> false, Conflicts.IGNORED, () -> 0, 10_000, text -> Map.of());

  static QuotaStore of(
      Predicate<String> ownName,
      Conflicts conflicts,
      LongSupplier nanoClock,
      int maxSeries,
      Function<String, Map<?, ?>> jsonReader) {
    return new QuotaStore(
        new MessageUpdates.Settings(
            ownName,
            conflicts,
            maxSeries,
            MAX_VALUES,
            serial -> Duration.ofMinutes(2),
            jsonReader,
            key -> key.startsWith("text.")),
        nanoClock);
  }

  /** Stores a message that is neither a push nor an answer to a poll. */
  static int record(QuotaStore store, String serial, Map<?, ?> quotas) {
    return record(store, serial, quotas, Origin.OTHER);
  }

  static int record(QuotaStore store, String serial, Map<?, ?> quotas, Origin origin) {
    long now = store.nanoClock.getAsLong();
    return store.record(serial, quotas, Conflicts.IGNORED, origin, Map.of(), now, false);
  }

  static Double value(QuotaStore store, String serial, String key, Duration maxAge) {
    return store.value(serial, key, maxAge, store.nanoClock.getAsLong());
  }

  public void record(String serial, Map<?, ?> quotas) {
    record(store, serial, quotas);
  }

  public void forget(String serial) {
    store.forget(serial);
  }

  public List<Family> snapshot() {
    return store.snapshot().families();
  }
}
