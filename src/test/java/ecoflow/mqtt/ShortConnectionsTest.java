package ecoflow.mqtt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShortConnectionsTest {

  private final ShortConnections connections = new ShortConnections();

  private static long seconds(long seconds) {
    // Near the overflow of a long, which nanoTime can reach.
    return Long.MAX_VALUE
        - Duration.ofSeconds(50).toNanos()
        + Duration.ofSeconds(seconds).toNanos();
  }

  @Test
  void connectionIsStableAfterThirtySeconds() {
    assertFalse(connections.isStable(seconds(30), seconds(59)));
    assertTrue(connections.isStable(seconds(30), seconds(60)));
  }

  /** Otherwise two exporters with long pauses would each treat their connections as stable. */
  @ParameterizedTest
  @CsvSource({"60, 30", "150, 30", "300, 60", "3000, 600", "100000, 600"})
  void connectionAfterShortOnesMustLastLonger(long outage, long minimum) {
    connections.ended(seconds(10));
    connections.ended(seconds(20));
    long start = 10 + outage;
    assertFalse(connections.isStable(seconds(start), seconds(start + minimum) - 1));
    assertTrue(connections.isStable(seconds(start), seconds(start + minimum)));
    connections.reset();
    assertTrue(connections.isStable(seconds(start), seconds(start + 30)));
  }

  @Test
  void loginsBecomeRareWhenTheyDoNotHelp() {
    assertEquals(List.of(3, 6, 12, 24, 48), logins(90));
    connections.reset();
    assertEquals(List.of(3, 6), logins(9));
  }

  /** The numbers of short connections after which a login is due. */
  private List<Integer> logins(int ends) {
    return IntStream.rangeClosed(1, ends)
        .filter(
            end -> {
              connections.ended(seconds(end));
              return connections.needsLogin();
            })
        .boxed()
        .toList();
  }

  @Test
  void durationStartsWithFirstShortConnection() {
    assertEquals(Duration.ZERO, connections.outage(seconds(0)));
    connections.ended(seconds(10));
    connections.ended(seconds(45));
    assertEquals(Duration.ofSeconds(90), connections.outage(seconds(100)));
    connections.reset();
    assertEquals(Duration.ZERO, connections.outage(seconds(100)));
    connections.ended(seconds(100));
    assertEquals(Duration.ofSeconds(7), connections.outage(seconds(107)));
  }
}
