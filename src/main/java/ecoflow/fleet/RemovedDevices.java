package ecoflow.fleet;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.device.Devices;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The devices that were removed from an account while its collector was not running: the topic of
 * devices contains their records, but the collector does not serve them. Only accounts with a name
 * are checked, because other collectors can have accounts without a name.
 */
final class RemovedDevices implements AutoCloseable {

  /**
   * A record that was not repeated for this time belongs to a device that no collector serves. A
   * device that two accounts have can be served by another collector.
   */
  static final Duration UNREPEATED = DeviceRecords.REFRESH.plusMinutes(5);

  /** How long the first check waits for accounts whose devices are not known yet. */
  private static final Duration START = Duration.ofSeconds(30);

  private static final Duration LIMIT = Duration.ofMinutes(5);

  /** Limits the memory of a check to about 10 MB. Further devices are found by the next check. */
  private static final int MAX_DEVICES = 50_000;

  private static final Logger LOG = LoggerFactory.getLogger(RemovedDevices.class);

  private final TopicRecords topic;
  private final Accounts accounts;
  private final Devices devices;
  private final LongSupplier nanoClock;
  private final Lines lines;
  private final Set<String> serials = ConcurrentHashMap.newKeySet();

  /** The accounts without further removed devices. Used by one thread. */
  private final Set<Account> checked = new HashSet<>();

  private volatile boolean closed;
  private Thread thread;

  RemovedDevices(TopicRecords topic, Accounts accounts, Devices devices, LongSupplier nanoClock) {
    this.topic = topic;
    this.accounts = accounts;
    this.devices = devices;
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock, Duration.ofHours(1), true);
  }

  /** The devices whose records must be removed; remove a device after its record. */
  Set<String> serials() {
    return serials;
  }

  /** Checks the accounts in a thread, also those that are added later. */
  synchronized void start() {
    if (accounts.areNamed() && !closed) {
      thread = new Thread(this::repeat, "kafka-removed-devices");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void repeat() {
    try {
      long started = nanoClock.getAsLong();
      while (!closed && !areAllKnown() && nanoClock.getAsLong() - started < START.toNanos()) {
        TimeUnit.SECONDS.sleep(1);
      }
      while (!closed) {
        check();
        TimeUnit.NANOSECONDS.sleep(UNREPEATED.toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean areAllKnown() {
    return accounts.all().stream().allMatch(devices::areKnown);
  }

  private void check() {
    List<Account> all = accounts.all();
    checked.retainAll(all);
    Map<String, Account> unchecked = new HashMap<>();
    all.stream()
        .filter(account -> !checked.contains(account) && devices.areKnown(account))
        .forEach(account -> unchecked.put(account.name(), account));
    if (unchecked.isEmpty()) {
      return;
    }
    // Before the reading, which does not include the records that are repeated in the meantime.
    long now = System.currentTimeMillis();
    try {
      remove(find(unchecked), unchecked, now - UNREPEATED.toMillis());
    } catch (KafkaException e) {
      if (closed) {
        return;
      }
      lines.warn(
          "read",
          "Failed to read the records of devices: "
              + Lines.root(e)
              + "; devices that were removed from their accounts remain on servers until the next"
              + " attempt in "
              + UNREPEATED.toMinutes()
              + " min");
    }
  }

  private record Found(Account account, long epochMillis) {}

  /** The newest records of devices of these accounts that are not served. */
  private Map<String, Found> find(Map<String, Account> byName) {
    Map<String, Found> found = new HashMap<>();
    topic.read(
        LIMIT,
        entry -> {
          boolean isServed = entry.key() != null && devices.isServed(entry.key());
          Account account = isServed ? null : byName.get(account(entry));
          if (account == null) {
            found.remove(entry.key());
          } else if (found.size() < MAX_DEVICES || found.containsKey(entry.key())) {
            found.put(entry.key(), new Found(account, entry.timestamp()));
          }
        });
    return found;
  }

  /** Null for a record that is not valid. */
  private static String account(ConsumerRecord<String, byte[]> entry) {
    try {
      DeviceRecord read = DeviceRecord.read(entry.key(), entry.value(), entry.timestamp());
      return read.isRemoval() ? null : read.account();
    } catch (RejectedException e) {
      return null;
    }
  }

  /**
   * @param newest the time of the newest record that can be removed
   */
  private void remove(Map<String, Found> found, Map<String, Account> unchecked, long newest) {
    Set<Account> done = new HashSet<>(unchecked.values());
    Set<String> removed = new HashSet<>();
    found.forEach(
        (serial, one) -> {
          if (one.epochMillis() > newest) {
            done.remove(one.account());
          } else if (!devices.isServed(serial) && accounts.isServed(one.account())) {
            removed.add(serial);
          }
        });
    if (found.size() < MAX_DEVICES) {
      checked.addAll(done);
    }
    if (!removed.isEmpty()) {
      LOG.info(
          "Removing the records of {} devices that are no longer in their accounts: {}",
          removed.size(),
          Lines.abbreviate(removed.stream().sorted().toList()));
      serials.addAll(removed);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (thread != null) {
      thread.interrupt();
    }
  }
}
