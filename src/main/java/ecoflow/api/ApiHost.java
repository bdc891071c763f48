package ecoflow.api;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host of API calls. An access key belongs to one region, and the hosts of other regions report
 * it as invalid (code 8513), so each region is tried once, and the one that accepts the key is
 * kept.
 */
final class ApiHost {

  private static final Logger LOG = LoggerFactory.getLogger(ApiHost.class);

  /** EcoFlow's code for an access key that is unknown in the region. */
  static final String INVALID_KEY = "8513";

  private final List<String> hosts;
  private int current;
  private int tried = 1;
  private boolean proven;

  ApiHost(List<String> hosts) {
    this.hosts = hosts;
  }

  /** For routes: the host, with the port if there is one. */
  public synchronized String current() {
    return hosts.get(current);
  }

  /** A call succeeded: the key is valid in this region. */
  synchronized void works() {
    proven = true;
  }

  /** Whether the call failed because the key is unknown in this region. */
  static boolean isInvalidKey(Throwable failure) {
    return failure instanceof CloudException cloud && cloud.code().equals(INVALID_KEY);
  }

  /** Whether the key is unknown in this region, and another region has not been tried yet. */
  synchronized boolean isAnotherLeft(Throwable failure) {
    return isInvalidKey(failure) && !proven && tried < hosts.size();
  }

  /** Switches to the next region. */
  synchronized void tryNext() {
    String before = current();
    current = (current + 1) % hosts.size();
    tried++;
    LOG.warn("{} does not know the access key; trying {}", before, current());
  }

  /** The key is unknown in all regions: further calls go to the configured host. */
  synchronized void giveUp() {
    if (!proven) {
      current = 0;
    }
  }

  /** Advice for the user when the key is unknown in all regions. */
  synchronized String advice() {
    return hosts.size() == 1
        ? "ECOFLOW_ACCESS_KEY is wrong, or of another region than " + hosts.get(0)
        : "ECOFLOW_ACCESS_KEY is wrong: none of " + String.join(", ", hosts) + " knows it";
  }
}
