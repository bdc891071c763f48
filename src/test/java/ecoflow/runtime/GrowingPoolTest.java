package ecoflow.runtime;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GrowingPoolTest {

  private final GrowingPool pool = new GrowingPool(2, 6, Executors.defaultThreadFactory());
  private final CountDownLatch end = new CountDownLatch(1);
  private final AtomicInteger ended = new AtomicInteger();

  @AfterEach
  void stop() {
    end.countDown();
    pool.shutdown();
  }

  private void executeSlow(int tasks) {
    for (int i = 0; i < tasks; i++) {
      pool.execute(
          () -> {
            assertDoesNotThrow(() -> end.await());
            ended.incrementAndGet();
          });
    }
  }

  @Test
  void slowTasksDoNotDelayOthers() throws InterruptedException {
    executeSlow(5);
    CountDownLatch others = new CountDownLatch(100);
    for (int i = 0; i < 100; i++) {
      pool.execute(others::countDown);
    }
    others.await();
    assertEquals(0, ended.get());
    end.countDown();
    eventually(() -> assertEquals(5, ended.get()));
    // Further tasks have the initial number of threads.
    eventually(() -> assertEquals(2, pool.getCorePoolSize()));
    assertEquals(2, pool.getMaximumPoolSize());
  }

  @Test
  void theNumberOfThreadsIsLimited() {
    executeSlow(20);
    eventually(() -> assertEquals(6, pool.getActiveCount()));
    end.countDown();
    eventually(() -> assertEquals(20, ended.get()));
    assertEquals(6, pool.getLargestPoolSize());
  }
}
