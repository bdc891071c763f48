package ecoflow.api;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host of the API calls of an account. An access key belongs to one region, and the hosts of
 * other regions reject it with code 8513. Each region is therefore tried once, until one accepts
 * the key.
 */
final class ApiHost {

  private static final Logger LOG = LoggerFactory.getLogger(ApiHost.class);

  /** EcoFlow's code for an access key that is unknown in the region. */
  static final String INVALID_KEY = "8513";

  private final String prefix;
  private final List<String> hosts;
  private int current;
  private int triedHosts = 1;
  private boolean isKeyAccepted;

  /**
   * @param prefix the start of log lines about the account
   */
  ApiHost(String prefix, List<String> hosts) {
    this.prefix = prefix;
    this.hosts = hosts;
  }

  /** The host, with its port if it has one. */
  synchronized String current() {
    return hosts.get(current);
  }

  /** Keeps the current host, because a call with the key succeeded. */
  synchronized void keyAccepted() {
    isKeyAccepted = true;
  }

  /** Whether the call failed because the key is unknown in this region. */
  static boolean isInvalidKey(Throwable failure) {
    return failure instanceof CloudException cloud && cloud.code().equals(INVALID_KEY);
  }

  /** Whether the key is unknown in this region, and another region has not been tried yet. */
  synchronized boolean canTryNext(Throwable failure) {
    return isInvalidKey(failure) && !isKeyAccepted && triedHosts < hosts.size();
  }

  /** Switches to the next region. */
  synchronized void tryNext() {
    String before = current();
    current = (current + 1) % hosts.size();
    triedHosts++;
    LOG.warn("{}{} rejected the access key; trying {}", prefix, before, current());
  }

  /** Returns to the configured host after all regions have rejected the key. */
  synchronized void keyRejected() {
    if (!isKeyAccepted) {
      current = 0;
    }
  }

  /** Advice for the user if all regions have rejected the key. */
  synchronized String advice() {
    return hosts.size() == 1
        ? "ECOFLOW_ACCESS_KEY is wrong or belongs to another region than " + hosts.get(0)
        : "ECOFLOW_ACCESS_KEY is wrong: rejected by " + String.join(", ", hosts);
  }
}
