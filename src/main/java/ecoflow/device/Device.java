package ecoflow.device;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.BiFunction;

/**
 * The state of one device, without its values. Times are nanoseconds of one monotonic clock, except
 * for the time of the last update, which is exported.
 */
final class Device {

  private final String serial;
  private volatile DeviceGroup group;
  private volatile boolean isRestoring;
  private Labels labels;

  /** Null until it is first requested. */
  private Duration silence;

  private Listing listing;
  private String absence = "";
  private long listedAt;
  private long dataAt;
  private boolean hasSent;
  private boolean isFresh;
  private long pushedAt;
  private boolean hasPushed;
  private long reportedOnlineAt;
  private boolean isReportedOnline;
  private long snapshotValidUntil;
  private boolean hasSnapshot;
  private long polledAt;
  private boolean hasPolled;
  private boolean wasLastPollEmpty;
  private boolean isOfflineInPoll;
  private long offlineInPollAt;
  private String failure = "";
  private long reportedOfflineAt;
  private boolean wasReportedOffline;
  private boolean isReportedOffline;
  private long lastUpdateMillis;

  Device(String serial, DeviceGroup group, Labels labels) {
    this.serial = serial;
    this.group = group;
    this.labels = labels;
  }

  String serial() {
    return serial;
  }

  DeviceGroup group() {
    return group;
  }

  /** Moves the device to another account. */
  void setGroup(DeviceGroup owner) {
    group = owner;
  }

  boolean isEcoflow() {
    return group.isEcoflow();
  }

  /** Whether the device is hidden while its values are read back. */
  boolean isRestoring() {
    return isRestoring;
  }

  void setRestoring(boolean restoring) {
    isRestoring = restoring;
  }

  synchronized Labels labels() {
    return labels;
  }

  /**
   * @param reason text about a device that is not in the list; empty if it is in the list
   */
  synchronized void listed(Listing now, String reason, Labels resolved, long nanos) {
    listing = now;
    absence = reason;
    listedAt = nanos;
    setLabels(resolved);
  }

  /** The device was online or offline in a list at this time, which can be in the past. */
  synchronized void listed(boolean online, long nanos) {
    if (listing == null || nanos - listedAt >= 0) {
      listing = new Listing(true, online, null, null);
      listedAt = nanos;
    }
  }

  synchronized void setLabels(Labels resolved) {
    labels = resolved;
    silence = null;
  }

  /**
   * The longest normal silence of the model.
   *
   * @param silenceOf returns the silence for a serial number and a product
   */
  synchronized Duration silence(BiFunction<String, String, Duration> silenceOf) {
    if (silence == null) {
      silence = silenceOf.apply(serial, labels.productName());
    }
    return silence;
  }

  /** At least one value was received. This overrides an earlier offline report. */
  synchronized void dataArrived(long nanos, long epochMillis) {
    if (!hasSent || nanos - dataAt >= 0) {
      dataAt = nanos;
      lastUpdateMillis = epochMillis;
    }
    hasSent = true;
    if (isOfflineInPoll && nanos - offlineInPollAt >= 0) {
      isOfflineInPoll = false;
    }
    if (!isBeforeOfflineReport(nanos)) {
      isFresh = true;
      isReportedOffline = false;
    }
  }

  /** Values were received without a request, so the device is online. */
  synchronized void pushed(long nanos) {
    if (!isBeforeOfflineReport(nanos)) {
      pushedAt = hasPushed ? later(nanos, pushedAt) : nanos;
      hasPushed = true;
    }
  }

  private boolean isBeforeOfflineReport(long nanos) {
    return wasReportedOffline && nanos - reportedOfflineAt < 0;
  }

  private static long later(long nanos, long others) {
    return nanos - others > 0 ? nanos : others;
  }

  /**
   * The cloud reports the device as offline: earlier values are no longer evidence that it is
   * online.
   */
  synchronized void reportedOffline(long nanos) {
    if (isBeforeOfflineReport(nanos)) {
      return;
    }
    wasReportedOffline = true;
    reportedOfflineAt = nanos;
    boolean isOutdated =
        (hasSent && nanos - dataAt < 0) || (isReportedOnline && nanos - reportedOnlineAt < 0);
    if (!isOutdated) {
      isReportedOffline = true;
      isFresh = false;
      hasPushed = false;
    }
  }

  /** The cloud reports the device as online. */
  synchronized void reportedOnline(long nanos) {
    if (!isBeforeOfflineReport(nanos)) {
      isReportedOffline = false;
      reportedOnlineAt = isReportedOnline ? later(nanos, reportedOnlineAt) : nanos;
      isReportedOnline = true;
    }
  }

  /** Earlier status reports of the cloud may be outdated. */
  synchronized void forgetReports() {
    isReportedOffline = false;
    isReportedOnline = false;
  }

  synchronized boolean isReportedOnline(long nanos, Duration maxAge) {
    return isReportedOnline && !isReportedOffline && nanos - reportedOnlineAt < maxAge.toNanos();
  }

  /** A snapshot was received; it is valid until this time, as long as changes are received. */
  synchronized void snapshotValidUntil(long nanos) {
    snapshotValidUntil = nanos;
    hasSnapshot = true;
  }

  /**
   * A poll has ended.
   *
   * @param hadValues false if the response was empty, or EcoFlow does not provide values of this
   *     device
   * @return whether it is not older than the last poll
   */
  synchronized boolean polled(boolean hadValues, long nanos) {
    boolean isNewest = !hasPolled || nanos - polledAt >= 0;
    if (isNewest) {
      hasPolled = true;
      polledAt = nanos;
      wasLastPollEmpty = !hadValues;
    }
    return isNewest;
  }

  /** EcoFlow answered a poll that the device is offline, or with values. */
  synchronized void setOfflineInPoll(boolean isOffline, long nanos) {
    isOfflineInPoll = isOffline;
    if (isOffline) {
      offlineInPollAt = nanos;
      isFresh = false;
    }
  }

  /** Whether the device was offline in the last poll, and has not pushed values since. */
  synchronized boolean isOfflineInPoll() {
    return isOfflineInPoll;
  }

  /** The reason why the last poll of this device failed; empty after a success. */
  synchronized String failure() {
    return failure;
  }

  synchronized void setFailure(String reason) {
    failure = reason;
  }

  /** Whether the last poll returned no values, so that pushes are the only source of values. */
  synchronized boolean wasLastPollEmpty() {
    return wasLastPollEmpty;
  }

  /** The values of the device were discarded. */
  synchronized void snapshotDiscarded() {
    hasSnapshot = false;
  }

  synchronized boolean hasValidSnapshot(long nanos) {
    return hasSnapshot && nanos - snapshotValidUntil < 0;
  }

  synchronized boolean isReportedOffline() {
    return isReportedOffline;
  }

  /**
   * Whether values were received without a request within {@code maxAge}, and no offline report
   * since.
   */
  synchronized boolean isPushing(long nanos, Duration maxAge) {
    return hasPushed && nanos - pushedAt < maxAge.toNanos();
  }

  /** Milliseconds since 1970 of the last update; empty before the first one. */
  synchronized OptionalLong lastUpdateMillis() {
    return hasSent ? OptionalLong.of(lastUpdateMillis) : OptionalLong.empty();
  }

  /** Whether values were received within {@code maxAge}, and no offline report since. */
  synchronized boolean hasFreshData(long nanos, Duration maxAge) {
    return isFresh && nanos - dataAt < maxAge.toNanos();
  }

  /** Whether the device is online in a device list that is not older than {@code maxAge}. */
  synchronized boolean isListedOnline(long nanos, Duration maxAge) {
    return isListed(nanos, maxAge) && listing.online();
  }

  /** Whether there is a device list that is not older than {@code maxAge}. */
  synchronized boolean isListed(long nanos, Duration maxAge) {
    return listing != null && nanos - listedAt < maxAge.toNanos();
  }

  /**
   * Whether the newest device list does not contain the device, which has not sent values since.
   */
  synchronized boolean isAbsent() {
    return listing != null && !listing.found() && !hasSentSinceListed();
  }

  /** The entry in the newest device list; null before the first list. */
  synchronized Listing listing() {
    return listing;
  }

  synchronized boolean hasSent() {
    return hasSent;
  }

  /** Whether values were received after the newest device list. */
  synchronized boolean hasSentSinceListed() {
    return hasSent && dataAt - listedAt > 0;
  }

  /**
   * Text about a device that is not in the newest device list; empty if it is in the list, or if
   * there is no list.
   */
  synchronized String absence() {
    return absence;
  }
}
