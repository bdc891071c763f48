package ecoflow.device;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.PerAccount;
import ecoflow.config.DeviceSettings;
import ecoflow.config.Settings;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The devices that the exporter serves: of each account, the configured ones or all. Only this
 * class decides which devices are online and which values may be shown.
 */
public final class Devices {

  private static final Pattern SERIAL = Pattern.compile("[A-Za-z0-9_-]{1,64}");

  /** Tolerance for network delays at the end of a silence. */
  private static final Duration JITTER = Duration.ofMinutes(1);

  /** Limits the memory that devices from a broker with public write access can use. */
  private static final int MAX_ADOPTED = 1_000;

  private static final Predicate<Device> VISIBLE = device -> !device.isRestoring();

  private final Accounts accounts;
  private final PerAccount<DeviceGroup> groups = new PerAccount<>(Devices::group);
  private final DeviceGroup others;
  private final Catalogue catalogue;
  private final LongSupplier nanoClock;
  private final ReceiptClock receiptClock;
  private final Consumer<String> warn;
  private final Map<String, Device> bySerial = new ConcurrentSkipListMap<>();

  /** Accounts that also have a device of another account, by serial number. */
  private final Map<String, Set<Account>> otherOwners = new LinkedHashMap<>();

  private volatile Consumer<String> renamed = serial -> {};
  private volatile Consumer<Labels> removed = labels -> {};
  private volatile BiFunction<String, String, Duration> silenceOf =
      (serial, product) -> Duration.ZERO;

  /**
   * @param warn receives a line if the catalogue cannot be used, or if devices of a list are not
   *     served
   */
  public Devices(
      Settings settings, Accounts accounts, Consumer<String> warn, LongSupplier nanoClock) {
    this.accounts = accounts;
    this.others = group(Optional.empty(), settings);
    DeviceSettings.DevicesFile file = settings.devices().file();
    this.catalogue = Catalogue.load(file.path(), file.explicit(), warn);
    this.nanoClock = nanoClock;
    this.receiptClock = new ReceiptClock(nanoClock, System::currentTimeMillis);
    this.warn = warn;
    accounts.all().forEach(this::addConfigured);
  }

  private static DeviceGroup group(Account account) {
    return group(Optional.of(account), account.settings());
  }

  private static DeviceGroup group(Optional<Account> account, Settings settings) {
    return new DeviceGroup(account, settings.mode(), settings.devices(), maxAge(settings));
  }

  /** Parses EcoFlow's online flag, which can be 1, "1" or true. */
  public static boolean isOn(Object flag) {
    return flag instanceof Number number
        ? number.intValue() == 1
        : "1".equals(flag) || Boolean.parseBoolean(String.valueOf(flag));
  }

  /** The serial numbers, sorted. */
  public List<String> serials() {
    return List.copyOf(bySerial.keySet());
  }

  /** The serial numbers of the account's devices, sorted. */
  public List<String> serials(Account account) {
    return List.copyOf(groups.of(account).devices().keySet());
  }

  /** All devices, except those that are being restored. */
  public List<DeviceView> all() {
    return views(bySerial).toList();
  }

  /** All EcoFlow devices, except those that are being restored. */
  public Stream<DeviceView> ecoflowDevices() {
    return bySerial.values().stream().filter(Device::isEcoflow).filter(VISIBLE).map(this::view);
  }

  /** The devices of the account, except those that are being restored. */
  public List<DeviceView> all(Account account) {
    return views(groups.of(account).devices()).toList();
  }

  private Stream<DeviceView> views(Map<String, Device> devices) {
    return devices.values().stream().filter(VISIBLE).map(this::view);
  }

  /** The account that serves the device; empty for a device of another source. */
  public Optional<Account> account(String serial) {
    Device device = bySerial.get(serial);
    return device == null ? Optional.empty() : device.group().account();
  }

  /** Whether the device is served with this account. */
  public boolean isServed(Account account, String serial) {
    return account(serial).orElse(null) == account;
  }

  /** Empty for a device that is not served or that is being restored. */
  public Optional<DeviceView> find(String serial) {
    return Optional.ofNullable(bySerial.get(serial)).filter(VISIBLE).map(this::view);
  }

  public boolean isServed(String serial) {
    return bySerial.containsKey(serial);
  }

  private DeviceView view(Device device) {
    boolean online = isOnline(device, nanoClock.getAsLong());
    // With an account, a device that sends values can be missing from the list. Its values take
    // precedence.
    boolean isPresent =
        online || (device.group().mode().usesAccount() && device.hasSentSinceListed());
    return new DeviceView(
        device.serial(),
        device.group().account().map(Account::name).orElse(""),
        device.labels(),
        online,
        isShown(device, nanoClock.getAsLong()),
        isPresent ? "" : device.absence(),
        device.lastUpdateMillis());
  }

  /** The labels of a device, which need not be served. */
  public Labels labels(String serial) {
    Device device = bySerial.get(serial);
    return device == null ? new Labels(serial, serial, "Unknown", "unknown") : device.labels();
  }

  /** The current time of the monotonic clock. */
  public long now() {
    return nanoClock.getAsLong();
  }

  /**
   * The time of receipt of a message on the monotonic clock, not later than now.
   *
   * @param epochMillis milliseconds since 1970, not in the future
   */
  public long receivedAt(long epochMillis) {
    return receiptClock.nanos(epochMillis);
  }

  public boolean isOnline(String serial) {
    return isOnline(serial, nanoClock.getAsLong());
  }

  /** Whether the device was online at a time, according to the messages so far. */
  public boolean isOnline(String serial, long at) {
    Device device = bySerial.get(serial);
    return device != null && isOnline(device, at);
  }

  /** Whether the device's values may be shown. */
  public boolean isShown(String serial) {
    return isShown(serial, nanoClock.getAsLong());
  }

  /** Whether the device's values could be shown at a time, according to the messages so far. */
  public boolean isShown(String serial, long at) {
    Device device = bySerial.get(serial);
    return device != null && isShown(device, at);
  }

  /** Like the other method, for a value that is received now and without a request. */
  public void dataArrived(String serial) {
    dataArrived(serial, false, nanoClock.getAsLong(), System.currentTimeMillis());
  }

  /**
   * At least one value was received. This overrides an earlier offline report.
   *
   * @param polled whether it is the response to a poll
   * @param at the time of receipt on the monotonic clock
   * @param epochMillis the same time in milliseconds since 1970
   */
  public void dataArrived(String serial, boolean polled, long at, long epochMillis) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.dataArrived(at, epochMillis);
      if (!polled) {
        device.pushed(at);
      }
    }
  }

  /**
   * A poll of the device has ended.
   *
   * @param hadValues false if the response was empty, or EcoFlow does not provide values of this
   *     device
   * @param at the time of the response on the monotonic clock
   * @return whether it is the newest poll of the device
   */
  public boolean polled(String serial, boolean hadValues, long at) {
    Device device = bySerial.get(serial);
    return device != null && device.polled(hadValues, at);
  }

  /**
   * EcoFlow answered a poll that the device is offline, or with values. After the former, the
   * device remains offline until the next values, although the device list can contain it as
   * online.
   */
  public void setOfflineInPoll(String serial, boolean isOffline) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.setOfflineInPoll(isOffline, nanoClock.getAsLong());
    }
  }

  /**
   * Whether the device can have values to poll: it is online, or only the answer to the last poll
   * contradicts that.
   */
  public boolean isPollable(String serial) {
    Device device = bySerial.get(serial);
    return device != null && isOnlineBeforePolls(device, nanoClock.getAsLong());
  }

  /**
   * Stores the reason for the failure of the last poll, if it concerns only this device.
   *
   * @param reason empty after a success
   */
  public void setFailure(String serial, String reason) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.setFailure(reason);
    }
  }

  /** The reason why the values of this device cannot be read; empty without a failure. */
  public String failure(String serial) {
    Device device = bySerial.get(serial);
    return device == null ? "" : device.failure();
  }

  /** The cloud reports the device as online. This overrides an earlier offline report. */
  public void reportedOnline(String serial, long at) {
    Device device = bySerial.get(serial);
    if (device != null && device.group().mode() == Settings.Mode.OPEN) {
      device.reportedOnline(at);
    }
  }

  /** Status reports from a lost connection of the account may be outdated. */
  public void forgetReports(Account account) {
    groups.of(account).devices().values().forEach(Device::forgetReports);
  }

  /** Changes may have been missed, so each device of the account needs a new snapshot. */
  public void allSnapshotsDiscarded(Account account) {
    groups.of(account).devices().values().forEach(Device::snapshotDiscarded);
  }

  /** A snapshot of the device was received. */
  public void snapshotReceived(String serial, long at) {
    Device device = bySerial.get(serial);
    if (device != null) {
      Duration life = device.group().settings().fullInterval();
      device.snapshotValidUntil(at + life.toNanos());
    }
  }

  /** The values of the device were discarded, or changes were missed. */
  public void snapshotDiscarded(String serial) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.snapshotDiscarded();
    }
  }

  /** A snapshot of the device was received; it is valid until this time. */
  public void snapshotValidUntil(String serial, long nanos) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.snapshotValidUntil(nanos);
    }
  }

  /**
   * Whether changes are sufficient, because a snapshot was received recently and not discarded
   * since.
   */
  public boolean hasValidSnapshot(String serial) {
    Device device = bySerial.get(serial);
    return device != null && device.hasValidSnapshot(nanoClock.getAsLong());
  }

  /** Whether the device sends its changes without requests. */
  public boolean isPushing(String serial) {
    Device device = bySerial.get(serial);
    return device != null
        && device.isPushing(nanoClock.getAsLong(), device.group().settings().timeout());
  }

  /** Like the other method, for a report that is received now. */
  public void reportedOffline(String serial) {
    reportedOffline(serial, nanoClock.getAsLong());
  }

  /**
   * The cloud reports the device as offline. This does not override values and reports that were
   * received later.
   *
   * @return whether the values from before the report may not be shown any more
   */
  public boolean reportedOffline(String serial, long at) {
    Device device = bySerial.get(serial);
    if (device == null) {
      return false;
    }
    device.reportedOffline(at);
    return !device.isEcoflow() || device.group().mode() != Settings.Mode.REST;
  }

  /** Runs a task under the lock of the device; does nothing for a device that is not served. */
  public void exclusively(String serial, Runnable task) {
    Device device = bySerial.get(serial);
    if (device != null) {
      synchronized (device) {
        // The device can have been removed in the meantime.
        if (bySerial.get(serial) == device) {
          task.run();
        }
      }
    }
  }

  /**
   * REST: the device is online in a list that is not older than its maximum age. With an account,
   * and for devices that are not EcoFlow devices: values were received recently. Open: decided by
   * the last status message, then by values that the device pushed, then by the list; responses to
   * polls are not evidence, unless EcoFlow answers that the device is offline. An offline state in
   * the list ends a silence that is normal for the model.
   */
  private boolean isOnline(Device device, long now) {
    return !device.isOfflineInPoll() && isOnlineBeforePolls(device, now);
  }

  private boolean isOnlineBeforePolls(Device device, long now) {
    DeviceGroup group = device.group();
    if (group.mode().usesAccount() || !device.isEcoflow()) {
      return hasFreshData(device, now);
    }
    Duration maxListAge = maxListAge(group);
    boolean listed = device.isListedOnline(now, maxListAge);
    if (group.mode() == Settings.Mode.REST) {
      return listed;
    }
    return !device.isReportedOffline()
        && (listed
            || device.isPushing(now, group.maxAge())
            // The list may be outdated. After some time, one of the other sources must confirm the
            // report.
            || device.isReportedOnline(now, maxListAge)
            || (!device.isListed(now, maxListAge) && device.isPushing(now, maxAge(device))));
  }

  private static Duration maxListAge(DeviceGroup group) {
    return group.maxAge().plus(group.settings().listLife());
  }

  private boolean isShown(Device device, long now) {
    return isOnline(device, now) && (hasFreshData(device, now) || keepsPushes(device, now));
  }

  private boolean hasFreshData(Device device, long now) {
    // This order avoids the lookup of the silence for devices that send often.
    return device.hasFreshData(now, device.group().maxAge())
        || device.hasFreshData(now, maxAge(device));
  }

  /**
   * Open: whether the device is online in the list but its only source of values is rare pushes.
   */
  private boolean keepsPushes(Device device, long now) {
    return device.wasLastPollEmpty()
        && device.isListedOnline(now, maxListAge(device.group()))
        && device.isPushing(now, device.group().settings().seriesLife());
  }

  /** The age at which values of the account's models that send often are hidden. */
  public Duration maxAge(Account account) {
    return groups.of(account).maxAge();
  }

  /** The age at which values of this device are hidden. */
  public Duration maxAge(String serial) {
    Device device = bySerial.get(serial);
    return device == null ? others.maxAge() : maxAge(device);
  }

  private Duration maxAge(Device device) {
    return longer(device.group().maxAge(), maxSilence(silence(device)));
  }

  /** How long a poll of this device does not overwrite a pushed value. */
  public Duration pushLead(String serial) {
    Device device = bySerial.get(serial);
    return (device == null ? others : device.group()).settings().pushLead();
  }

  /** The age at which a single series of this device is removed. */
  public Duration seriesLife(String serial) {
    Device device = bySerial.get(serial);
    return device == null
        ? others.settings().seriesLife()
        : longer(device.group().settings().seriesLife(), maxSilence(silence(device)));
  }

  /** The longest normal silence of a device that has sent values; zero for polled devices. */
  private Duration silence(Device device) {
    boolean pushes = device.group().mode() != Settings.Mode.REST || !device.isEcoflow();
    return pushes && device.hasSent() ? device.silence(silenceOf) : Duration.ZERO;
  }

  /** A device is offline if two consecutive messages are missing. */
  private static Duration maxSilence(Duration silence) {
    return silence.isZero() ? silence : silence.multipliedBy(2).plus(JITTER);
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  /**
   * The longest normal time without a message from any device of the account: the shortest silence
   * of the devices that are not reported offline.
   */
  public Duration commonSilence(Account account) {
    return groups.of(account).devices().values().stream()
        .filter(device -> !device.isReportedOffline())
        .map(device -> device.silence(silenceOf))
        .min(Comparator.naturalOrder())
        .orElse(Duration.ZERO);
  }

  /**
   * @param newSilenceOf returns the longest normal silence of a model by serial number and product;
   *     zero for models that send often
   */
  public void setSilences(BiFunction<String, String, Duration> newSilenceOf) {
    silenceOf = newSilenceOf;
  }

  /**
   * MQTT_TIMEOUT; in mode REST at least three polls; in mode Open the sum of both, because polls
   * start when pushes end.
   */
  private static Duration maxAge(Settings settings) {
    Duration timeout = settings.devices().timeout();
    Duration polls = settings.devices().collectingInterval().multipliedBy(3);
    return switch (settings.mode()) {
      case MQTT, DEVICE -> timeout;
      case REST -> longer(timeout, polls);
      case OPEN -> timeout.plus(polls);
    };
  }

  /**
   * Applies a complete device list of an account: updates names, products and online flags, and
   * marks devices that are not in it as missing. If all devices are served, adds new ones up to
   * ECOFLOW_MAX_DEVICES.
   *
   * @return the serial numbers of new devices, sorted
   */
  public List<String> listed(Account account, Map<String, Listing> list) {
    DeviceGroup group = groups.of(account);
    List<String> added = group.settings().areAllServed() ? addNew(group, list.keySet()) : List.of();
    long now = nanoClock.getAsLong();
    for (Device device : group.devices().values()) {
      Listing listing = list.getOrDefault(device.serial(), Listing.MISSING);
      Labels before = device.labels();
      Labels labels =
          updatesLabels(group, listing) ? labels(account, device.serial(), listing) : before;
      String absence = listing.found() ? "" : absence(group, device.serial(), list);
      device.listed(listing, absence, labels, now);
      if (!labels.equals(before)) {
        renamed.accept(device.serial());
      }
    }
    if (!list.isEmpty()) {
      group.setHasList();
    }
    return added;
  }

  /**
   * Whether all devices of the account are known: from the settings, or from a complete device
   * list. An empty list can also be that of a wrong region.
   */
  public boolean areKnown(Account account) {
    DeviceGroup group = groups.of(account);
    return !group.settings().areAllServed() || group.hasList();
  }

  /**
   * Adds new devices in the order of their serial numbers, so that the same list always excludes
   * the same devices. Devices that are already served remain served.
   */
  private synchronized List<String> addNew(DeviceGroup group, Set<String> serials) {
    List<String> unknown = new ArrayList<>();
    List<String> invalid = new ArrayList<>();
    for (String serial : serials) {
      if (!SERIAL.matcher(serial).matches()) {
        invalid.add(serial);
      } else if (!group.devices().containsKey(serial)) {
        unknown.add(serial);
      }
    }
    Collections.sort(unknown);
    forgetOwner(group, serial -> !serials.contains(serial));
    int left = Math.max(0, group.settings().maxDevices() - group.devices().size());
    List<String> free = unknown.stream().filter(serial -> isFree(group, serial)).toList();
    List<String> added = free.subList(0, Math.min(left, free.size()));
    added.forEach(serial -> add(group, serial));
    recordExcluded(group, serials.size(), free.size() - added.size(), invalid);
    return added;
  }

  /**
   * Stores the numbers of excluded devices for the page. Logs a line when the first device is
   * excluded, not for each list.
   */
  private void recordExcluded(
      DeviceGroup group, int listed, int newOverLimit, List<String> invalid) {
    String prefix = group.account().map(Account::prefix).orElse("");
    if (newOverLimit > 0 && group.overLimit() == 0) {
      warn.accept(
          prefix
              + "The device list has "
              + listed
              + " devices and "
              + DeviceSettings.MAX_DEVICES
              + " is "
              + group.settings().maxDevices()
              + ": "
              + newOverLimit
              + " devices are not served; devices that are already served remain");
    }
    if (!invalid.isEmpty() && group.invalidSerials() == 0) {
      warn.accept(
          prefix
              + "The device list has "
              + invalid.size()
              + " serial numbers that are not 1 to 64 letters, digits, - and _, such as \""
              + Lines.oneLine(invalid.get(0))
              + "\": these devices are not served");
    }
    group.setExcluded(newOverLimit, invalid.size());
  }

  /** Whether there are accounts, so that devices can send values. */
  public boolean areExpected() {
    return !accounts.all().isEmpty();
  }

  /** Number of devices in the newest lists that are not served because of ECOFLOW_MAX_DEVICES. */
  public int overLimit() {
    return accounts.all().stream().map(groups::of).mapToInt(DeviceGroup::overLimit).sum();
  }

  /** Number of entries in the newest lists that are not served because of their serial number. */
  public int invalidSerials() {
    return accounts.all().stream().map(groups::of).mapToInt(DeviceGroup::invalidSerials).sum();
  }

  /** Number of devices of an account that are served with an earlier account. */
  public synchronized int ofOtherAccounts() {
    return otherOwners.values().stream().mapToInt(Set::size).sum();
  }

  /**
   * Whether the labels are updated from the list. With an account, a device sends values
   * independently of the list, and an incomplete or late list must not change its labels.
   */
  private static boolean updatesLabels(DeviceGroup group, Listing listing) {
    return !group.mode().usesAccount() || (group.settings().areAllServed() && listing.found());
  }

  /** Text about a device that is not in the list. */
  private String absence(DeviceGroup group, String serial, Map<String, Listing> list) {
    List<String> unserved =
        list.keySet().stream()
            .filter(other -> !isServed(other))
            .limit(group.settings().maxDevices())
            .toList();
    return "not in the device list of this account; "
        + Lines.nearestSerial(serial, unserved)
            .map(other -> "did you mean " + other + name(other, list.get(other)) + "?")
            .orElse("the list has " + list.size() + (list.size() == 1 ? " device" : " devices"));
  }

  private static String name(String serial, Listing listing) {
    return listing.name() == null || listing.name().equals(serial)
        ? ""
        : " (\"" + Lines.oneLine(listing.name()) + "\")";
  }

  /**
   * @param renamed receives the serial number of a device after its labels have changed
   */
  public void onRenamed(Consumer<String> renamed) {
    this.renamed = renamed;
  }

  /**
   * @param removed receives the labels of a device that is no longer served, with the lock of the
   *     device
   */
  public void onRemoved(Consumer<Labels> removed) {
    this.removed = removed;
  }

  /** Adds the configured devices of an account. */
  public synchronized void addConfigured(Account account) {
    DeviceGroup group = groups.of(account);
    for (String serial : group.settings().serials()) {
      if (!group.devices().containsKey(serial) && isFree(group, serial)) {
        add(group, serial);
      }
    }
  }

  /**
   * Whether the account may serve the device. If several accounts have it, the first one in the
   * order of the settings serves it. An account that serves all its devices loses a device that is
   * no longer in its device list.
   */
  private boolean isFree(DeviceGroup group, String serial) {
    Account account = group.account().orElseThrow();
    if (!accounts.isServed(account)) {
      // The account was removed while its device list was requested.
      return false;
    }
    Device known = bySerial.get(serial);
    if (known == null || !known.isEcoflow()) {
      return true;
    }
    Account owner = known.group().account().orElseThrow();
    if (isLost(known) || accounts.isBefore(account, owner)) {
      return true;
    }
    addOwner(account, serial, owner);
    return false;
  }

  /** Whether the account that serves the device no longer has it. */
  private static boolean isLost(Device device) {
    return device.group().settings().areAllServed() && device.isAbsent();
  }

  /** The account has a device that an earlier one serves. */
  private void addOwner(Account account, String serial, Account earlier) {
    if (otherOwners.computeIfAbsent(serial, unused -> new LinkedHashSet<>()).add(account)) {
      warn.accept(
          account.prefix()
              + "device "
              + serial
              + " is served with account "
              + earlier.name()
              + ", which is earlier in the accounts file");
    }
  }

  /**
   * Applies a changed order of the accounts: the first account that has a device serves it.
   *
   * @return the accounts that serve other devices now
   */
  public synchronized Set<Account> reorder() {
    Set<Account> gaining = new LinkedHashSet<>();
    for (String serial : List.copyOf(otherOwners.keySet())) {
      Account owner = bySerial.get(serial).group().account().orElseThrow();
      otherOwners.get(serial).stream()
          .filter(other -> accounts.isBefore(other, owner) && !isFull(groups.of(other)))
          .reduce((first, other) -> accounts.isBefore(other, first) ? other : first)
          .ifPresent(
              first -> {
                add(groups.of(first), serial);
                gaining.add(first);
              });
    }
    return gaining;
  }

  private static boolean isFull(DeviceGroup group) {
    return group.settings().areAllServed()
        && group.devices().size() >= group.settings().maxDevices();
  }

  /** Moves a device from its account to another one. */
  private void move(Device device, DeviceGroup group) {
    String serial = device.serial();
    Account before = device.group().account().orElseThrow();
    Account now = group.account().orElseThrow();
    boolean isLost = isLost(device);
    setGroup(device, group);
    otherOwners.computeIfPresent(serial, (unused, owners) -> without(owners, group));
    if (!isLost && accounts.isServed(before)) {
      addOwner(before, serial, now);
    }
    // Changes are missed until the account is subscribed to the topics of the device.
    device.snapshotDiscarded();
    label(device, now);
  }

  private static void setGroup(Device device, DeviceGroup group) {
    device.group().devices().remove(device.serial());
    device.setGroup(group);
    group.devices().put(device.serial(), device);
  }

  /** Applies the names in the settings of the account. */
  private void label(Device device, Account account) {
    Labels before = device.labels();
    device.setLabels(
        device.listing() == null
            ? labels(account.settings().devices(), device.serial(), null, null)
            : labels(account, device.serial(), device.listing()));
    if (!device.labels().equals(before)) {
      renamed.accept(device.serial());
    }
  }

  private void add(DeviceGroup group, String serial) {
    Device known = bySerial.get(serial);
    if (known != null && known.isEcoflow()) {
      move(known, group);
    } else {
      Labels labels = labels(group.settings(), serial, null, null);
      Device device = new Device(serial, group, labels);
      bySerial.put(serial, device);
      group.devices().put(serial, device);
    }
  }

  /** The account no longer has these devices, which other accounts serve. */
  private void forgetOwner(DeviceGroup group, Predicate<String> serials) {
    for (String serial : List.copyOf(otherOwners.keySet())) {
      if (serials.test(serial)) {
        otherOwners.computeIfPresent(serial, (unused, owners) -> without(owners, group));
      }
    }
  }

  /** The other accounts that have a device, without one; null for none. */
  private static Set<Account> without(Set<Account> owners, DeviceGroup group) {
    group.account().ifPresent(owners::remove);
    return owners.isEmpty() ? null : owners;
  }

  /**
   * Applies changed settings of an account: adds and removes devices, and renames the others.
   *
   * @return the other accounts that serve removed devices now
   */
  public synchronized Set<Account> update(Account account) {
    DeviceGroup group = groups.of(account);
    group.apply(account.settings().devices(), maxAge(account.settings()));
    Set<Account> others = new LinkedHashSet<>();
    if (!group.settings().areAllServed()) {
      for (String serial : serials(account)) {
        if (!group.settings().serials().contains(serial)) {
          others.addAll(remove(group, serial));
        }
      }
      forgetOwner(group, serial -> !group.settings().serials().contains(serial));
    }
    addConfigured(account);
    group.devices().values().forEach(device -> label(device, account));
    return others;
  }

  /**
   * Removes all devices of an account.
   *
   * @return the other accounts that serve some of them now
   */
  public synchronized Set<Account> remove(Account account) {
    DeviceGroup group = groups.of(account);
    Set<Account> others = new LinkedHashSet<>();
    serials(account).forEach(serial -> others.addAll(remove(group, serial)));
    forgetOwner(group, serial -> true);
    return others;
  }

  /**
   * Another account that has the device serves it now or, if the account serves all its devices,
   * after its next device list.
   */
  private Set<Account> remove(DeviceGroup group, String serial) {
    // Groups do not contain the devices of other sources.
    Device device = bySerial.get(serial);
    group.devices().remove(serial);
    Set<Account> owners = otherOwners.remove(serial);
    synchronized (device) {
      bySerial.remove(serial);
      removed.accept(device.labels());
    }
    if (owners == null) {
      return Set.of();
    }
    owners.removeIf(owner -> !accounts.isServed(owner));
    owners.forEach(this::addConfigured);
    return owners;
  }

  /**
   * Serves a device that is not an EcoFlow device. It is online while values are received.
   *
   * @param name null for none
   * @param product null for none
   */
  public void adopt(String serial, String name, String product) {
    Device known = bySerial.get(serial == null ? "" : serial);
    if (known == null) {
      checkNew(serial);
      Labels labels = labels(others.settings(), serial, name, product);
      bySerial.putIfAbsent(serial, new Device(serial, others, labels));
      known = bySerial.get(serial);
    }
    if (!known.isEcoflow()) {
      known.setLabels(labels(others.settings(), serial, name, product));
    }
  }

  private void checkNew(String serial) {
    if (!isSerial(serial)) {
      throw new IllegalArgumentException(
          "header EcoflowDevice: expected 1 to 64 letters, digits, - and _, but was '"
              + serial
              + "'");
    }
    if (bySerial.values().stream().filter(device -> !device.isEcoflow()).count() >= MAX_ADOPTED) {
      throw new IllegalArgumentException(
          "device "
              + serial
              + " of another source exceeds the limit of "
              + MAX_ADOPTED
              + " devices");
    }
  }

  /** Whether the serial number has the form that the exporter accepts. */
  public static boolean isSerial(String serial) {
    return serial != null && SERIAL.matcher(serial).matches();
  }

  /**
   * Serves a device that another process found in the device list of the account. Its labels
   * replace those from before.
   */
  public synchronized void serve(Account account, Labels labels) {
    String serial = labels.device();
    DeviceGroup group = groups.of(account);
    Device known = bySerial.get(serial);
    if (known == null) {
      Device device = new Device(serial, group, labels);
      group.devices().put(serial, device);
      bySerial.put(serial, device);
      return;
    }
    if (known.group() != group) {
      setGroup(known, group);
    }
    if (!known.labels().equals(labels)) {
      known.setLabels(labels);
      renamed.accept(serial);
    }
  }

  /**
   * The device was online or offline in the device list of another process. Does not override a
   * later state.
   *
   * @param at the time of the state on the monotonic clock
   */
  public void listed(String serial, boolean online, long at) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.listed(online, at);
    }
  }

  /**
   * Hides a device while its values are read back, or shows it again. An incomplete or earlier
   * state of the device must not be shown.
   */
  public void setRestoring(String serial, boolean isRestoring) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.setRestoring(isRestoring);
    }
  }

  /** Whether the device is hidden while its values are read back. */
  public boolean isRestoring(String serial) {
    Device device = bySerial.get(serial);
    return device != null && device.isRestoring();
  }

  /** Removes a device that another process serves now. */
  public synchronized void remove(String serial) {
    Device device = bySerial.get(serial);
    if (device != null) {
      remove(device.group(), serial);
    }
  }

  /** The labels that a listed device has or would have if it were served. */
  public Labels labels(Account account, String serial, Listing listing) {
    return labels(account.settings().devices(), serial, listing.name(), listing.product());
  }

  /** The labels of a device whose name and product are unknown. */
  public Labels unlistedLabels(Account account, String serial) {
    return labels(account.settings().devices(), serial, null, null);
  }

  /** Whether the model is in the catalogue. */
  public boolean isModelKnown(String serial) {
    return catalogue.find(serial).isPresent();
  }

  private Labels labels(DeviceSettings settings, String serial, String apiName, String apiProduct) {
    // Serial numbers in settings are in upper case, those of devices from other sources can have
    // any case.
    String key = serial.toUpperCase(Locale.ROOT);
    Labels.Overrides overrides =
        new Labels.Overrides(
            settings.names().get(key),
            settings.products().get(key),
            settings.generalKeys().get(key));
    return Labels.resolve(serial, overrides, apiName, apiProduct, catalogue);
  }
}
