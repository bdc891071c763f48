package ecoflow.web;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * The checks of passwords that take a bcrypt each. Those of known users have two threads of their
 * own, one check at a time for each address without recent failures; all others share one thread,
 * where connections without a failure come first.
 */
final class PasswordChecks implements AutoCloseable {

  /** From this many failures in a minute on, the answers to an address are delayed. */
  static final int SLOW_FROM = 10;

  private static final int MAX_TRUSTED = 16;
  private static final int MAX_OTHERS = 64;
  private static final int MAX_FAILED = 32;
  private static final int MAX_ADDRESSES = 1_000;
  private static final int IDLE_SECONDS = 5;
  private static final long MINUTE = Duration.ofMinutes(1).toNanos();

  private static final class Failures {
    private long since;
    private int count;
  }

  /** Fewest failures first, then in order of arrival. */
  private record Check(int failures, long number, Runnable work)
      implements Runnable, Comparable<Check> {

    @Override
    public void run() {
      work.run();
    }

    @Override
    public int compareTo(Check other) {
      return failures == other.failures
          ? Long.compare(number, other.number)
          : Integer.compare(failures, other.failures);
    }
  }

  private final LongSupplier nanoClock;

  /** Addresses whose check is trusted and not done. */
  private final Set<String> checking = ConcurrentHashMap.newKeySet();

  private final AtomicLong numbers = new AtomicLong();
  private final ThreadPoolExecutor trusted = threads(2, "passwords", new LinkedBlockingQueue<>());
  private final ThreadPoolExecutor others =
      threads(1, "passwords-others", new PriorityBlockingQueue<>());
  private final Map<String, Failures> addresses =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Failures> eldest) {
          return size() > MAX_ADDRESSES;
        }
      };

  PasswordChecks(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /** They end when they are idle. */
  private static ThreadPoolExecutor threads(
      int number, String name, BlockingQueue<Runnable> queue) {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            number,
            number,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            queue,
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /**
   * @param isKnown whether there is a user of the name
   * @param failures of the connection
   * @return false if too many checks wait
   */
  boolean add(boolean isKnown, String address, int failures, Runnable work) {
    boolean isTrusted = isKnown && failures(address) == 0 && checking.add(address);
    ThreadPoolExecutor pool = isTrusted ? trusted : others;
    int most = isTrusted ? MAX_TRUSTED : failures == 0 ? MAX_OTHERS : MAX_FAILED;
    Runnable end = isTrusted ? () -> checking.remove(address) : () -> {};
    if (pool.isShutdown() || pool.getQueue().size() >= most) {
      end.run();
      return false;
    }
    pool.execute(
        new Check(
            failures,
            numbers.getAndIncrement(),
            () -> {
              try {
                work.run();
              } finally {
                end.run();
              }
            }));
    return true;
  }

  /** A wrong password came from the address. */
  void failed(String address) {
    synchronized (addresses) {
      Failures known = addresses.computeIfAbsent(address, unused -> new Failures());
      long now = nanoClock.getAsLong();
      if (known.count == 0 || now - known.since > MINUTE) {
        known.since = now;
        known.count = 0;
      }
      known.count++;
    }
  }

  boolean isSlow(String address) {
    return failures(address) >= SLOW_FROM;
  }

  private int failures(String address) {
    synchronized (addresses) {
      Failures known = addresses.get(address);
      return known == null || nanoClock.getAsLong() - known.since > MINUTE ? 0 : known.count;
    }
  }

  @Override
  public void close() {
    trusted.shutdownNow();
    others.shutdownNow();
  }
}
