package ecoflow.runtime;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class PoolsTest {

  /** More than any pool has threads. */
  private static final int TASKS = 300;

  /** The caller is an event loop or a timer, which must not run or wait for a task. */
  @ParameterizedTest
  @CsvSource({
    "account, false",
    "account, true",
    "account-retries, false",
    "account-retries, true",
    "device-list, false",
    "device-list, true",
    "device-polls, false",
    "device-polls, true",
    "device-polls-slow, true"
  })
  void tasksWaitForAThreadInTheQueue(String name, boolean areMany) throws Exception {
    try (DefaultCamelContext camel = new DefaultCamelContext()) {
      Pools.configure(camel, areMany);
      ExecutorService pool = camel.getExecutorServiceManager().newThreadPool(this, name, name);
      Thread caller = Thread.currentThread();
      CountDownLatch end = new CountDownLatch(1);
      AtomicInteger ended = new AtomicInteger();
      Set<Thread> threads = ConcurrentHashMap.newKeySet();
      for (int i = 0; i < TASKS; i++) {
        pool.execute(
            () -> {
              threads.add(Thread.currentThread());
              if (Thread.currentThread() != caller) {
                assertDoesNotThrow(() -> end.await());
              }
              ended.incrementAndGet();
            });
      }
      end.countDown();
      eventually(() -> assertEquals(TASKS, ended.get()));
      assertFalse(threads.contains(caller));
    }
  }
}
