package ecoflow.testkit;

import org.apache.camel.test.AvailablePortFinder;

/** Ports for servers that a test will start. */
public final class Ports {

  private Ports() {}

  /**
   * A free port that no other caller gets. The finder's own {@code getNextAvailable} sometimes
   * returns the same port twice in a row.
   */
  public static int next() {
    return AvailablePortFinder.find().getPort();
  }
}
