package ecoflow.fleet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.account.Account;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.device.Labels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;

/**
 * The records of the compacted topic of devices, bean {@code deviceRecords}. Each second, it
 * compares all devices with the records that Kafka has acknowledged.
 */
final class DeviceRecords {

  /** A record is sent again after this time, so that a deleted record is restored. */
  static final Duration REFRESH = Duration.ofMinutes(10);

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A record to be sent.
   *
   * @param value null if the device is no longer served
   */
  public record Change(String serial, Content content, String value) {}

  /**
   * The content of a record.
   *
   * @param mode empty for a device of another source
   * @param accountLabels the labels of the account
   * @param online null if unknown
   * @param since milliseconds since 1970
   */
  private record Content(
      Labels labels,
      String account,
      String mode,
      Map<String, String> accountLabels,
      Boolean online,
      long since) {}

  private record Sent(Content content, long at) {}

  /**
   * @param online null if unknown
   * @param since milliseconds since 1970
   */
  private record Online(Boolean online, long since, long firstSeen) {}

  private final Devices devices;
  private final LongSupplier nanoClock;
  private final Set<String> removed;
  private final Map<String, Sent> sent = new ConcurrentHashMap<>();

  /** Used by one comparison at a time. */
  private final Map<String, Online> states = new ConcurrentHashMap<>();

  private volatile boolean isBusy;

  /**
   * @param removed devices whose records must be removed, unless they are served; those whose
   *     records have been removed are deleted from this set
   */
  DeviceRecords(Devices devices, LongSupplier nanoClock, Set<String> removed) {
    this.devices = devices;
    this.nanoClock = nanoClock;
    this.removed = removed;
  }

  /** Whether the records of the last comparison have not been acknowledged or dropped yet. */
  public boolean isBusy() {
    return isBusy;
  }

  /** Route step: replaces the body with the list of changes. */
  public void takeChanges(Exchange exchange) {
    isBusy = true;
    List<Change> changes = new ArrayList<>();
    Set<String> served = new HashSet<>();
    long now = nanoClock.getAsLong();
    for (DeviceView device : devices.all()) {
      served.add(device.serial());
      Content content = content(device, now);
      Sent last = sent.get(device.serial());
      if (last == null || !last.content().equals(content) || now - last.at() > REFRESH.toNanos()) {
        changes.add(new Change(device.serial(), content, json(content)));
      }
    }
    for (String serial : sent.keySet()) {
      if (!served.contains(serial)) {
        changes.add(new Change(serial, null, null));
      }
    }
    removed.removeIf(served::contains);
    for (String serial : removed) {
      if (!sent.containsKey(serial)) {
        changes.add(new Change(serial, null, null));
      }
    }
    states.keySet().retainAll(served);
    exchange.getMessage().setBody(changes);
  }

  /** Route step: the records of the comparison have been acknowledged or dropped. */
  public void ended() {
    isBusy = false;
  }

  /** Route step: Kafka has acknowledged a record. */
  public void sent(@ExchangeProperty("deviceRecord") Change change) {
    if (change.value() == null) {
      sent.remove(change.serial());
      removed.remove(change.serial());
    } else {
      sent.put(change.serial(), new Sent(change.content(), nanoClock.getAsLong()));
    }
  }

  private Content content(DeviceView device, long now) {
    Online state =
        states.merge(
            device.serial(),
            new Online(null, System.currentTimeMillis(), now),
            (known, unused) -> known);
    Boolean online = online(device, now - state.firstSeen());
    if (online == null ? state.online() != null : !online.equals(state.online())) {
      state = new Online(online, System.currentTimeMillis(), state.firstSeen());
      states.put(device.serial(), state);
    }
    Optional<Account> account = devices.account(device.serial());
    return new Content(
        device.labels(),
        account.map(Account::name).orElse(""),
        account.map(known -> known.mode().label()).orElse(""),
        account.map(Account::labels).orElse(Map.of()),
        state.online(),
        state.since());
  }

  private static String json(Content content) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("schema", DeviceRecord.SCHEMA);
    members.put("name", content.labels().deviceName());
    members.put("product", content.labels().productName());
    members.put("generalKey", content.labels().generalKey());
    members.put("account", content.account());
    members.put("mode", content.mode());
    members.put("labels", new TreeMap<>(content.accountLabels()));
    members.put("online", content.online());
    members.put("since", content.since());
    try {
      return JSON.writeValueAsString(members);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of texts has a JSON form", e);
    }
  }

  /** Null after the start, until the device has had the time to send a message. */
  private Boolean online(DeviceView device, long known) {
    if (device.online()) {
      return true;
    }
    boolean isUnknown =
        device.lastUpdateMillis().isEmpty() && known < devices.maxAge(device.serial()).toNanos();
    return isUnknown ? null : false;
  }
}
