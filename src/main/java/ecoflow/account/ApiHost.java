package ecoflow.account;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host that API calls go to. Access keys belong to one region and another's host calls them
 * invalid (code 8513), so each region is tried once, and the one that works is kept.
 */
public final class ApiHost {

  private static final Logger LOG = LoggerFactory.getLogger(ApiHost.class);

  private final List<String> hosts;
  private int current;
  private int tried = 1;
  private boolean proven;

  public ApiHost(List<String> hosts) {
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

  /** Whether another region is worth a try; if so it is the current one from now on. */
  synchronized boolean tryNext() {
    if (proven || tried >= hosts.size()) {
      if (!proven && hosts.size() > 1) {
        // The user chose the first one: the message of the failure should be about it.
        current = 0;
      }
      return false;
    }
    String before = current();
    current = (current + 1) % hosts.size();
    tried++;
    LOG.warn("{} does not know the access key; trying {}", before, current());
    return true;
  }

  /** What to tell the user once no region knows the key. */
  synchronized String advice() {
    return hosts.size() == 1
        ? "ECOFLOW_ACCESS_KEY is wrong, or of another region than " + hosts.get(0)
        : "ECOFLOW_ACCESS_KEY is wrong: none of " + String.join(", ", hosts) + " knows it";
  }
}
