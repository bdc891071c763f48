package ecoflow.device;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * One device: what is known of it from outside its values. Times are nanoseconds of one monotonic
 * clock, but for the time of the last update, which users see.
 */
public final class Device {

  /** What the device list of the cloud says. */
  public record Listing(boolean found, boolean online, String name, String product) {
    static final Listing MISSING = new Listing(false, false, null, null);
  }

  private final String serial;
  private Labels labels;
  private Listing listing;
  private long listedAt;
  private long dataAt;
  private boolean heardOf;
  private boolean saidOffline;
  private long lastUpdateMillis;

  Device(String serial, Labels labels) {
    this.serial = serial;
    this.labels = labels;
  }

  /** EcoFlow's online flag, which comes as 1, "1" or true. */
  public static boolean isOn(Object flag) {
    return flag instanceof Number number
        ? number.intValue() == 1
        : "1".equals(flag) || Boolean.parseBoolean(String.valueOf(flag));
  }

  public String serial() {
    return serial;
  }

  public synchronized Labels labels() {
    return labels;
  }

  synchronized void listed(Listing now, Labels resolved, long nanos) {
    listing = now;
    listedAt = nanos;
    labels = resolved;
  }

  /** At least one value arrived. It also ends an earlier "offline": data beats the flag. */
  public synchronized void dataArrived(long nanos, long epochMillis) {
    dataAt = nanos;
    heardOf = true;
    saidOffline = false;
    lastUpdateMillis = epochMillis;
  }

  /** The cloud says that the device is off. */
  public synchronized void reportedOffline() {
    saidOffline = true;
  }

  /** Milliseconds since 1970 of the last update, empty before the first. */
  public synchronized OptionalLong lastUpdateMillis() {
    return heardOf ? OptionalLong.of(lastUpdateMillis) : OptionalLong.empty();
  }

  /** Whether values arrived within {@code maxAge} and nothing said "offline" since. */
  public synchronized boolean hasFreshData(long nanos, Duration maxAge) {
    return heardOf && !saidOffline && nanos - dataAt < maxAge.toNanos();
  }

  /** Whether a list not older than {@code maxAge} says "online". */
  public synchronized boolean isListedOnline(long nanos, Duration maxAge) {
    return listing != null && listing.online() && nanos - listedAt < maxAge.toNanos();
  }

  /** Whether the newest list lacks the device. */
  public synchronized boolean isMissing() {
    return listing != null && !listing.found();
  }
}
