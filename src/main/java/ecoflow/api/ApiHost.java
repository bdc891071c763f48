package ecoflow.api;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host that API calls go to. Access keys belong to one region and another's host calls them
 * invalid (code 8513), so each region is tried once, and the one that works is kept.
 */
final class ApiHost {

  private static final Logger LOG = LoggerFactory.getLogger(ApiHost.class);

  /** EcoFlow's code for an access key that the region does not know. */
  static final String INVALID_KEY = "8513";

  private final List<String> hosts;
  private int current;
  private int tried = 1;
  private boolean proven;

  ApiHost(List<String> hosts) {
    this.hosts = hosts;
  }

  /** For routes: host, with the port if it has one. */
  public synchronized String current() {
    return hosts.get(current);
  }

  /** A call succeeded: this region knows the key. */
  synchronized void works() {
    proven = true;
  }

  /** Whether the failure says that the key is unknown here. */
  static boolean isInvalidKey(Throwable failure) {
    return failure instanceof CloudException cloud && cloud.code().equals(INVALID_KEY);
  }

  /** Whether the key is unknown here, and a region is left that could know it. */
  synchronized boolean isAnotherLeft(Throwable failure) {
    return isInvalidKey(failure) && !proven && tried < hosts.size();
  }

  /** Makes the next region the current one. */
  synchronized void tryNext() {
    String before = current();
    current = (current + 1) % hosts.size();
    tried++;
    LOG.warn("{} does not know the access key; trying {}", before, current());
  }

  /** No region knows the key: further calls go to the one that the user chose. */
  synchronized void giveUp() {
    if (!proven) {
      current = 0;
    }
  }

  /** What to tell the user once no region knows the key. */
  synchronized String advice() {
    return hosts.size() == 1
        ? "ECOFLOW_ACCESS_KEY is wrong, or of another region than " + hosts.get(0)
        : "ECOFLOW_ACCESS_KEY is wrong: none of " + String.join(", ", hosts) + " knows it";
  }
}
