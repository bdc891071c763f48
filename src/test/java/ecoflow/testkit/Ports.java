package ecoflow.testkit;

import org.apache.camel.test.AvailablePortFinder;

/** Ports for what a test will start. */
public final class Ports {

  private Ports() {}

  /**
   * A free port that nobody else who asks here gets. The finder's own {@code getNextAvailable}
   * gives the same one to two in a row now and then.
   */
  public static int next() {
    return AvailablePortFinder.find().getPort();
  }
}
