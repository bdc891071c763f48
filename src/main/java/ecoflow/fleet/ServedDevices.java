package ecoflow.fleet;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.config.AccountSettings;
import ecoflow.config.Settings;
import ecoflow.config.Settings.Mode;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The devices of the assigned partitions, and their accounts. Not synchronized. */
final class ServedDevices {

  private record Key(String account, Mode mode) {}

  private static final class Owner {

    private final Key key;
    private final Account account;
    private int devices;
    private long labelsMillis;

    Owner(Key key, Account account) {
      this.key = key;
      this.account = account;
    }
  }

  private final Settings settings;
  private final Accounts accounts;
  private final Devices devices;
  private final Meters meters;

  /** Shared by the accounts of a mode. */
  private final Map<Mode, Settings> settingsOfMode = new EnumMap<>(Mode.class);

  private final Map<Key, Owner> owners = new HashMap<>();
  private final Map<String, Owner> ownerOf = new HashMap<>();

  ServedDevices(Settings settings, Accounts accounts, Devices devices, Meters meters) {
    this.settings = settings;
    this.accounts = accounts;
    this.devices = devices;
    this.meters = meters;
  }

  /** Serves the devices of records, or applies their changes. The records are not removals. */
  void serve(Collection<DeviceRecord> records) {
    addOwnersOf(records);
    Set<Owner> left = new HashSet<>();
    for (DeviceRecord record : records) {
      String serial = record.serial();
      if (record.mode().isEmpty()) {
        devices.adopt(serial, record.labels().deviceName(), record.labels().productName());
        continue;
      }
      Owner owner = owners.get(key(record));
      if (record.epochMillis() >= owner.labelsMillis) {
        owner.labelsMillis = record.epochMillis();
        if (!owner.account.labels().equals(record.accountLabels())) {
          accounts.apply(owner.account, settings(owner.key, record.accountLabels()));
        }
      }
      Owner before = ownerOf.put(serial, owner);
      if (before != owner) {
        owner.devices++;
        if (before != null && --before.devices == 0) {
          left.add(before);
        }
      }
      devices.serve(owner.account, record.labels());
      if (record.online().isPresent()) {
        devices.listed(serial, record.online().get(), devices.receivedAt(record.epochMillis()));
      }
    }
    forget(left);
  }

  /** A record for a device that has no record yet. Any other record is newer. */
  DeviceRecord unlisted(String serial, String account, Mode mode) {
    Key key = new Key(account, mode);
    addOwners(Map.of(key, Map.of()));
    Account owner = owners.get(key).account;
    return new DeviceRecord(
        serial,
        devices.unlistedLabels(owner, serial),
        account,
        Optional.of(mode),
        owner.labels(),
        Optional.empty(),
        0);
  }

  /** Adds the accounts together, because each change of their list takes time for all of them. */
  private void addOwnersOf(Collection<DeviceRecord> records) {
    Map<Key, Map<String, String>> added = new LinkedHashMap<>();
    for (DeviceRecord record : records) {
      if (record.mode().isPresent()) {
        added.put(key(record), record.accountLabels());
      }
    }
    addOwners(added);
  }

  private void addOwners(Map<Key, Map<String, String>> labels) {
    List<Key> keys = labels.keySet().stream().filter(key -> !owners.containsKey(key)).toList();
    if (keys.isEmpty()) {
      return;
    }
    List<Account> added =
        accounts.add(keys.stream().map(key -> settings(key, labels.get(key))).toList());
    for (int i = 0; i < keys.size(); i++) {
      owners.put(keys.get(i), new Owner(keys.get(i), added.get(i)));
    }
  }

  private static Key key(DeviceRecord record) {
    return new Key(record.account(), record.mode().orElseThrow());
  }

  private AccountSettings settings(Key key, Map<String, String> labels) {
    Settings ofMode = settingsOfMode.computeIfAbsent(key.mode(), settings::ofServedAccount);
    return new AccountSettings(key.account(), labels, ofMode);
  }

  /** Removes devices, and the accounts that have no other devices. */
  void remove(Collection<String> serials) {
    Set<Owner> left = new HashSet<>();
    for (String serial : serials) {
      devices.remove(serial);
      Owner owner = ownerOf.remove(serial);
      if (owner != null && --owner.devices == 0) {
        left.add(owner);
      }
    }
    forget(left);
  }

  private void forget(Set<Owner> left) {
    if (!left.isEmpty()) {
      List<Account> removed = new ArrayList<>();
      for (Owner owner : left) {
        owners.remove(owner.key);
        removed.add(owner.account);
      }
      accounts.remove(new HashSet<>(removed));
      meters.remove(removed);
    }
  }
}
