package ecoflow.device;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.BiFunction;

/**
 * The state of one device, apart from its values. Times are nanoseconds of one monotonic clock,
 * except for the time of the last update, which users see.
 */
final class Device {

  private final String serial;
  private final boolean ofCloud;
  private Labels labels;

  /** Null until it is needed. */
  private Duration silence;

  private Listing listing;
  private String absence = "";
  private long listedAt;
  private long dataAt;
  private boolean hasSent;
  private boolean isFresh;
  private long pushedAt;
  private boolean hasPushed;
  private long saidOnlineAt;
  private boolean saidOnline;
  private long filledUntil;
  private boolean filled;
  private boolean isUnfillable;
  private boolean saidOffline;
  private long lastUpdateMillis;

  /**
   * @param ofCloud false for a device that is not an EcoFlow device
   */
  Device(String serial, boolean ofCloud, Labels labels) {
    this.serial = serial;
    this.ofCloud = ofCloud;
    this.labels = labels;
  }

  String serial() {
    return serial;
  }

  boolean isOfCloud() {
    return ofCloud;
  }

  synchronized Labels labels() {
    return labels;
  }

  /**
   * @param lack text about a device that is not in the list, else empty
   */
  synchronized void listed(Listing now, String lack, Labels resolved, long nanos) {
    listing = now;
    absence = lack;
    listedAt = nanos;
    labelled(resolved);
  }

  synchronized void labelled(Labels resolved) {
    labels = resolved;
    silence = null;
  }

  /**
   * The longest normal silence of the model.
   *
   * @param silenceOf returns it by serial number and product
   */
  synchronized Duration silence(BiFunction<String, String, Duration> silenceOf) {
    if (silence == null) {
      silence = silenceOf.apply(serial, labels.productName());
    }
    return silence;
  }

  /** At least one value arrived. This also ends an earlier "offline": data overrides the flag. */
  synchronized void dataArrived(long nanos, long epochMillis) {
    dataAt = nanos;
    hasSent = true;
    isFresh = true;
    saidOffline = false;
    lastUpdateMillis = epochMillis;
  }

  /** Values arrived without a request, so the device is online. */
  synchronized void pushed(long nanos) {
    pushedAt = nanos;
    hasPushed = true;
  }

  /**
   * The cloud reports the device as offline: earlier values are no longer evidence that it is
   * online.
   */
  synchronized void reportedOffline() {
    saidOffline = true;
    isFresh = false;
    hasPushed = false;
  }

  /** The cloud reports the device as online. */
  synchronized void reportedOnline(long nanos) {
    saidOffline = false;
    saidOnline = true;
    saidOnlineAt = nanos;
  }

  /** Earlier status reports of the cloud may be outdated. */
  synchronized void forgetReports() {
    saidOffline = false;
    saidOnline = false;
  }

  synchronized boolean isReportedOnline(long nanos, Duration maxAge) {
    return saidOnline && !saidOffline && nanos - saidOnlineAt < maxAge.toNanos();
  }

  /** All values of the device arrived; they are sufficient until this time. */
  synchronized void filledUntil(long nanos) {
    filledUntil = nanos;
    filled = true;
  }

  /**
   * A poll has ended.
   *
   * @param hadValues false if the answer was empty, or EcoFlow does not answer for this device
   */
  synchronized void polled(boolean hadValues) {
    isUnfillable = !hadValues;
  }

  /** Whether the last poll returned no values, so that pushes are the only source. */
  synchronized boolean isUnfillable() {
    return isUnfillable;
  }

  /** Its values were discarded. */
  synchronized void emptied() {
    filled = false;
  }

  synchronized boolean isFull(long nanos) {
    return filled && nanos - filledUntil < 0;
  }

  synchronized boolean isReportedOffline() {
    return saidOffline;
  }

  /** Whether values arrived without a request within {@code maxAge}, and no "offline" since. */
  synchronized boolean isPushing(long nanos, Duration maxAge) {
    return hasPushed && nanos - pushedAt < maxAge.toNanos();
  }

  /** Milliseconds since 1970 of the last update; empty before the first one. */
  synchronized OptionalLong lastUpdateMillis() {
    return hasSent ? OptionalLong.of(lastUpdateMillis) : OptionalLong.empty();
  }

  /** Whether values arrived within {@code maxAge}, and no "offline" since. */
  synchronized boolean hasFreshData(long nanos, Duration maxAge) {
    return isFresh && nanos - dataAt < maxAge.toNanos();
  }

  /** Whether the device is online in a list not older than {@code maxAge}. */
  synchronized boolean isListedOnline(long nanos, Duration maxAge) {
    return isListed(nanos, maxAge) && listing.online();
  }

  /** Whether a list not older than {@code maxAge} decides if the device is online. */
  synchronized boolean isListed(long nanos, Duration maxAge) {
    return listing != null && nanos - listedAt < maxAge.toNanos();
  }

  synchronized boolean hasSent() {
    return hasSent;
  }

  /** Whether values arrived after the newest list. */
  synchronized boolean hasSentSinceListed() {
    return hasSent && dataAt - listedAt > 0;
  }

  /**
   * Text about a device that is not in the newest list; empty if it is in the list, or without a
   * list.
   */
  synchronized String absence() {
    return absence;
  }
}
