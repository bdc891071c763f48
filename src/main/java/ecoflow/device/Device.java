package ecoflow.device;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * One device: what is known of it from outside its values. Times are nanoseconds of one monotonic
 * clock, but for the time of the last update, which users see.
 */
final class Device {

  private final String serial;
  private final boolean ofCloud;
  private Labels labels;
  private Listing listing;
  private long listedAt;
  private long dataAt;
  private boolean hasSent;
  private long pushedAt;
  private boolean hasPushed;
  private long saidOnlineAt;
  private boolean saidOnline;
  private long filledUntil;
  private boolean filled;
  private boolean saidOffline;
  private long lastUpdateMillis;

  /**
   * @param ofCloud false for a device that EcoFlow does not have
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

  synchronized void listed(Listing now, Labels resolved, long nanos) {
    listing = now;
    listedAt = nanos;
    labels = resolved;
  }

  synchronized void labelled(Labels resolved) {
    labels = resolved;
  }

  /** At least one value arrived. It also ends an earlier "offline": data beats the flag. */
  synchronized void dataArrived(long nanos, long epochMillis) {
    dataAt = nanos;
    hasSent = true;
    saidOffline = false;
    lastUpdateMillis = epochMillis;
  }

  /** The values were not asked for: the device is there. */
  synchronized void pushed(long nanos) {
    pushedAt = nanos;
    hasPushed = true;
  }

  /** The cloud says that the device is off. */
  synchronized void reportedOffline() {
    saidOffline = true;
  }

  /** The cloud says that the device is there. */
  synchronized void reportedOnline(long nanos) {
    saidOffline = false;
    saidOnline = true;
    saidOnlineAt = nanos;
  }

  /** What the cloud said of the device may not hold any more. */
  synchronized void forgetReports() {
    saidOffline = false;
    saidOnline = false;
  }

  synchronized boolean isReportedOnline(long nanos, Duration maxAge) {
    return saidOnline && !saidOffline && nanos - saidOnlineAt < maxAge.toNanos();
  }

  /** All its values came, which suffices for so long. */
  synchronized void filledUntil(long nanos) {
    filledUntil = nanos;
    filled = true;
  }

  /** Its values were given up. */
  synchronized void emptied() {
    filled = false;
  }

  synchronized boolean isFull(long nanos) {
    return filled && nanos - filledUntil < 0;
  }

  synchronized boolean isReportedOffline() {
    return saidOffline;
  }

  /** Whether values came unasked within {@code maxAge}, and nothing said "offline" since. */
  synchronized boolean isPushing(long nanos, Duration maxAge) {
    return hasPushed && !saidOffline && nanos - pushedAt < maxAge.toNanos();
  }

  /** Milliseconds since 1970 of the last update, empty before the first. */
  synchronized OptionalLong lastUpdateMillis() {
    return hasSent ? OptionalLong.of(lastUpdateMillis) : OptionalLong.empty();
  }

  /** Whether values arrived within {@code maxAge} and nothing said "offline" since. */
  synchronized boolean hasFreshData(long nanos, Duration maxAge) {
    return hasSent && !saidOffline && nanos - dataAt < maxAge.toNanos();
  }

  /** Whether a list not older than {@code maxAge} says "online". */
  synchronized boolean isListedOnline(long nanos, Duration maxAge) {
    return listing != null && listing.online() && nanos - listedAt < maxAge.toNanos();
  }

  /** Whether the newest list lacks the device. */
  synchronized boolean isMissing() {
    return listing != null && !listing.found();
  }
}
