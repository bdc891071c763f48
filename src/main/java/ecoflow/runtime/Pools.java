package ecoflow.runtime;

import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.ThreadPoolProfileBuilder;
import org.apache.camel.spi.ExecutorServiceManager;
import org.apache.camel.spi.ThreadPoolProfile;
import org.apache.camel.support.DefaultThreadPoolFactory;
import org.apache.camel.util.concurrent.SizedScheduledExecutorService;

/**
 * The thread pools that routes use by name. Idle threads of all pools end after a few seconds,
 * because most pools are used only for a moment every half minute, or only at start.
 */
public final class Pools extends DefaultThreadPoolFactory {

  private static final long IDLE_SECONDS = 5;

  /** Limits the attempts in progress, each of which uses a thread until its end. */
  private static final int MANY = 32;

  private static final int FEW = 16;

  /** The limit with slow attempts of many accounts, which must not delay the others. */
  private static final int MANY_SLOW = 128;

  /** The same for polls, several of which an account can have in progress. */
  private static final int MANY_SLOW_POLLS = 256;

  private static final Map<String, Integer> LIMITS =
      Map.of("account", MANY_SLOW, "device-list", MANY_SLOW, "device-polls", MANY_SLOW_POLLS);

  private final boolean areMany;

  private Pools(boolean areMany) {
    this.areMany = areMany;
  }

  /**
   * @param areMany whether the routes serve several accounts
   */
  public static void configure(CamelContext camel, boolean areMany) {
    ExecutorServiceManager manager = camel.getExecutorServiceManager();
    manager.setThreadPoolFactory(new Pools(areMany));
    manager.registerThreadPoolProfile(profile("account", areMany ? MANY : 1));
    manager.registerThreadPoolProfile(profile("device-list", areMany ? MANY : 1));
    manager.registerThreadPoolProfile(profile("device-polls", areMany ? MANY : 10));
    // For accounts with failures or slow calls, so that they do not delay the others.
    manager.registerThreadPoolProfile(profile("account-retries", areMany ? FEW : 1));
    manager.registerThreadPoolProfile(profile("device-polls-slow", FEW));
    manager.registerThreadPoolProfile(profile("history", areMany ? FEW : 1));
  }

  /**
   * The queue is unbounded: otherwise the caller would run the task, and callers are event loops
   * and timers. With the value -1, Camel uses no queue at all.
   */
  public static ThreadPoolProfile profile(String id, int threads) {
    return new ThreadPoolProfileBuilder(id)
        .poolSize(threads)
        .maxPoolSize(threads)
        .maxQueueSize(Integer.MAX_VALUE)
        .build();
  }

  @Override
  public ExecutorService newThreadPool(ThreadPoolProfile profile, ThreadFactory threads) {
    Integer limit = LIMITS.get(profile.getId());
    ExecutorService pool =
        areMany && limit != null
            ? new GrowingPool(profile.getMaxPoolSize(), limit, threads)
            : super.newThreadPool(profile, threads);
    if (pool instanceof ThreadPoolExecutor executor) {
      endIdleThreads(executor);
    }
    return pool;
  }

  @Override
  public ScheduledExecutorService newScheduledThreadPool(
      ThreadPoolProfile profile, ThreadFactory threads) {
    ScheduledExecutorService pool = super.newScheduledThreadPool(profile, threads);
    if (pool instanceof SizedScheduledExecutorService sized) {
      endIdleThreads(sized.getScheduledThreadPoolExecutor());
    } else if (pool instanceof ThreadPoolExecutor executor) {
      endIdleThreads(executor);
    }
    return pool;
  }

  private static void endIdleThreads(ThreadPoolExecutor pool) {
    pool.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
    pool.allowCoreThreadTimeOut(true);
  }
}
