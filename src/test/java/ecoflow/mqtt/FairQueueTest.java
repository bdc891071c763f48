package ecoflow.mqtt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FairQueueTest {

  private static final long MILLI = 1_000_000;
  private static final String FAST = "FAST";
  private static final String CALM = "CALM";

  private final List<String> dropped = new ArrayList<>();
  private final List<String> worked = new ArrayList<>();
  private final FairQueue queue = new FairQueue(dropped::add);

  private void add(String device, Object kind, int bytes, String name) {
    queue.add(new FairQueue.Message(device, kind, bytes, () -> worked.add(name)));
  }

  private List<String> takeAll() {
    for (FairQueue.Message next = queue.next(); next != null; next = queue.next()) {
      next.work().run();
    }
    return worked;
  }

  @Test
  void deviceWaitsAfterUsingItsShare() {
    long start = -5;
    queue.processed(FAST, 99 * MILLI, start);
    assertFalse(queue.mustWait(FAST, start));
    queue.processed(FAST, MILLI, start + 100 * MILLI);
    assertTrue(queue.mustWait(FAST, start + 999 * MILLI));
    assertFalse(queue.mustWait(CALM, start + 999 * MILLI));
    assertFalse(queue.mustWait(FAST, start + 1_000 * MILLI));
  }

  @Test
  void allDevicesWaitAfterUsingCommonShare() {
    for (int i = 0; i < 6; i++) {
      queue.processed("DEVICE" + i, 90 * MILLI, 0);
    }
    assertTrue(queue.mustWait(CALM, 999 * MILLI));
    assertFalse(queue.mustWait(CALM, 1_000 * MILLI));
  }

  @Test
  void messagesOfWaitingDeviceStayInOrder() {
    add(FAST, "", 1, "first");
    assertTrue(queue.mustWait(FAST, 0));
    assertEquals(List.of("first"), takeAll());
    assertFalse(queue.mustWait(FAST, 0));
  }

  @Test
  void devicesTakeTurns() {
    for (int i = 0; i < 3; i++) {
      add(FAST, "", 1, "fast" + i);
    }
    add(CALM, "", 1, "calm0");
    add(CALM, "", 1, "calm1");
    assertEquals(List.of("fast0", "calm0", "fast1", "calm1", "fast2"), takeAll());
    assertNull(queue.next());
    assertTrue(queue.isEmpty());
    assertEquals(List.of(), dropped);
  }

  @Test
  void dropsOldestButKeepsNewestOfEachKind() {
    add(FAST, "rare", 1, "rare");
    for (int i = 0; i < 2_500; i++) {
      add(FAST, "often", 1, "often" + i);
    }
    add(CALM, "", 1, "calm");
    assertEquals(1_501, dropped.size());
    assertTrue(dropped.stream().allMatch(FAST::equals));
    List<String> expected =
        IntStream.range(1_501, 2_500).mapToObj(i -> "often" + i).collect(Collectors.toList());
    expected.add(0, "rare");
    expected.add(1, "calm");
    assertEquals(expected, takeAll());
  }

  @Test
  void dropsOldestIfAllKindsDiffer() {
    for (int i = 0; i < 1_002; i++) {
      add(FAST, "kind" + i, 1, "message" + i);
    }
    assertEquals(2, dropped.size());
    assertEquals("message2", takeAll().get(0));
  }

  @Test
  void bytesAreLimitedPerDeviceExceptForSingleMessage() {
    add(FAST, "", 3 << 20, "large");
    assertEquals(0, dropped.size());
    add(FAST, "", 100, "small");
    assertEquals(1, dropped.size());
    assertEquals(List.of("small"), takeAll());
  }

  @Test
  void largestBacklogIsReducedAboveTotalLimit() {
    add(CALM, "", 100, "calm");
    for (int i = 0; i < 4; i++) {
      add("LARGE" + i, "", (2 << 20) + i, "large" + i);
    }
    assertEquals(List.of("LARGE3"), dropped);
    assertEquals(List.of("calm", "large0", "large1", "large2"), takeAll());
  }

  @Test
  void inventedDevicesDoNotRemoveWaitingMessages() {
    add(FAST, "", 1, "waits");
    for (int i = 0; i < 30_000; i++) {
      queue.processed("MADE_UP" + i, 1, 0);
    }
    assertTrue(queue.mustWait(FAST, 0));
    assertEquals(List.of("waits"), takeAll());
  }
}
