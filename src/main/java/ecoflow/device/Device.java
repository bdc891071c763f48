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

  /** The cloud says that the device is off. */
  synchronized void reportedOffline() {
    saidOffline = true;
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
