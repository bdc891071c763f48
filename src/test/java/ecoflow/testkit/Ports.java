package ecoflow.testkit;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.Random;

/**
 * Ports for servers that a test will start. They are below the range from which Linux takes the
 * ports of outgoing connections, which could use such a port before the server does.
 */
public final class Ports {

  private static final int FIRST = 10_000;
  private static final int COUNT = 7_000;

  /** Each process of a test run has its own range. */
  private static final int RANGE = FIRST + (Integer.getInteger("test.process", 1) - 1) * COUNT;

  /** Another test run can use the same range. */
  private static int last = new Random().nextInt(COUNT);

  private Ports() {}

  /** A free port that no other caller in this process gets. */
  public static synchronized int next() {
    for (int attempt = 0; attempt < COUNT; attempt++) {
      last = (last + 1) % COUNT;
      int port = RANGE + last;
      try (ServerSocket socket = new ServerSocket(port)) {
        return socket.getLocalPort();
      } catch (IOException e) {
        // In use.
      }
    }
    throw new IllegalStateException("all ports from " + RANGE + " are in use");
  }
}
