package ecoflow.passwords;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Runs password checks, each of which computes a bcrypt hash. There are three queues with their own
 * threads: for clients that have logged in recently, for other clients without a recent failure,
 * and for all other checks (guesses). The first two accept only existing users, and one check per
 * client at a time. Guesses are throttled.
 */
public final class PasswordChecks implements AutoCloseable {

  /** The number of failures per minute from which responses to an address are delayed. */
  public static final int DELAY_THRESHOLD = 10;

  /**
   * The maximum rate of guesses. It is lower for expensive hashes, because each guess is followed
   * by a pause of the same duration.
   */
  public static final int MAX_GUESSES_PER_SECOND = 5;

  /** The capacity of each of the first two queues. */
  public static final int MAX_TRUSTED = 16;

  /** The capacity for guesses on connections that have not sent a wrong password. */
  public static final int MAX_FIRST_GUESSES = 64;

  /** How long a client can use the first queue after a successful login. */
  public static final Duration TRUSTED_TIME = Duration.ofHours(1);

  private static final int MAX_FURTHER_GUESSES = 32;
  private static final int MAX_CLIENTS = 1_000;
  private static final int IDLE_SECONDS = 5;
  private static final long MINUTE = Duration.ofMinutes(1).toNanos();
  private static final long MIN_GUESS_NANOS = TimeUnit.SECONDS.toNanos(1) / MAX_GUESSES_PER_SECOND;

  /** The length in bytes of an IPv6 prefix; a client can choose the rest of its address. */
  private static final int IPV6_PREFIX_BYTES = 8;

  private static final class Failures {
    private long since;
    private int count;
  }

  /** A waiting check, ordered by the number of failures, then by arrival. */
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

  private static final class RecentMap<V> extends LinkedHashMap<String, V> {

    private static final long serialVersionUID = 1L;

    RecentMap() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
      return size() > MAX_CLIENTS;
    }
  }

  private final LongSupplier nanoClock;
  private final LongConsumer pause;

  /** Clients whose check is waiting or running in one of the first two queues. */
  private final Set<String> checking = ConcurrentHashMap.newKeySet();

  private final AtomicLong checkNumbers = new AtomicLong();
  private final ThreadPoolExecutor trusted = pool(1, "passwords", new LinkedBlockingQueue<>());
  private final ThreadPoolExecutor others = pool(2, "passwords-new", new LinkedBlockingQueue<>());
  private final ThreadPoolExecutor guesses =
      pool(1, "passwords-guesses", new PriorityBlockingQueue<>());
  private final Map<String, Failures> failuresByNetwork = new RecentMap<>();

  /** The time of the last successful login, by address and user. */
  private final Map<String, Long> lastLogins = new RecentMap<>();

  public PasswordChecks(LongSupplier nanoClock) {
    this(nanoClock, PasswordChecks::sleep);
  }

  /**
   * @param pause sleeps for a number of nanoseconds
   */
  PasswordChecks(LongSupplier nanoClock, LongConsumer pause) {
    this.nanoClock = nanoClock;
    this.pause = pause;
  }

  private static void sleep(long nanos) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException e) {
      // The exporter is stopping.
      Thread.currentThread().interrupt();
    }
  }

  /** Creates a pool whose threads end when they are idle. */
  private static ThreadPoolExecutor pool(int number, String name, BlockingQueue<Runnable> queue) {
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
   * Adds a check.
   *
   * @param user the user name; empty if the user does not exist
   * @param failures the number of wrong passwords on the connection
   * @return false if too many checks are waiting
   */
  public boolean submit(Optional<String> user, String address, int failures, Runnable work) {
    String network = network(address);
    if (user.isPresent()) {
      String login = login(user.get(), network);
      if (hasLoggedIn(login) && addTrusted(trusted, login, work)) {
        return true;
      }
      if (failures(network) == 0 && addTrusted(others, network, work)) {
        return true;
      }
    }
    int capacity = failures == 0 ? MAX_FIRST_GUESSES : MAX_FURTHER_GUESSES;
    return add(guesses, capacity, failures, () -> guess(work));
  }

  private boolean addTrusted(ThreadPoolExecutor pool, String client, Runnable work) {
    if (!checking.add(client)) {
      return false;
    }
    Runnable check =
        () -> {
          try {
            work.run();
          } finally {
            checking.remove(client);
          }
        };
    boolean isAccepted = add(pool, MAX_TRUSTED, 0, check);
    if (!isAccepted) {
      checking.remove(client);
    }
    return isAccepted;
  }

  private boolean add(ThreadPoolExecutor pool, int capacity, int failures, Runnable work) {
    if (pool.isShutdown() || pool.getQueue().size() >= capacity) {
      return false;
    }
    pool.execute(new Check(failures, checkNumbers.getAndIncrement(), work));
    return true;
  }

  /** Pauses after a guess for at least the same duration: guesses use at most half a core. */
  private void guess(Runnable work) {
    long start = nanoClock.getAsLong();
    work.run();
    long duration = nanoClock.getAsLong() - start;
    pause.accept(Math.max(duration, MIN_GUESS_NANOS - duration));
  }

  /** Records a successful login from the address. */
  public void succeeded(String user, String address) {
    synchronized (lastLogins) {
      lastLogins.put(login(user, network(address)), nanoClock.getAsLong());
    }
  }

  private boolean hasLoggedIn(String login) {
    synchronized (lastLogins) {
      Long last = lastLogins.get(login);
      return last != null && nanoClock.getAsLong() - last <= TRUSTED_TIME.toNanos();
    }
  }

  private static String login(String user, String network) {
    return network + " " + user;
  }

  /** Records a wrong password from the address. */
  public void failed(String address) {
    synchronized (failuresByNetwork) {
      Failures failures =
          failuresByNetwork.computeIfAbsent(network(address), unused -> new Failures());
      long now = nanoClock.getAsLong();
      if (failures.count == 0 || now - failures.since > MINUTE) {
        failures.since = now;
        failures.count = 0;
      }
      failures.count++;
    }
  }

  public boolean needsDelay(String address) {
    return failures(network(address)) >= DELAY_THRESHOLD;
  }

  private int failures(String network) {
    synchronized (failuresByNetwork) {
      Failures failures = failuresByNetwork.get(network);
      return failures == null || nanoClock.getAsLong() - failures.since > MINUTE
          ? 0
          : failures.count;
    }
  }

  /** The address, or the /64 network of an IPv6 address. */
  private static String network(String address) {
    if (address.indexOf(':') < 0) {
      return address;
    }
    try {
      // No DNS lookup, because the address is a literal.
      byte[] bytes = InetAddress.getByName(address).getAddress();
      return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, IPV6_PREFIX_BYTES));
    } catch (UnknownHostException e) {
      return address;
    }
  }

  @Override
  public void close() {
    trusted.shutdownNow();
    others.shutdownNow();
    guesses.shutdownNow();
  }
}
