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
 * Runs password checks, each of which requires a bcrypt computation, in three queues with their own
 * threads: for clients that logged in recently, for other clients without a recent failure, and for
 * guesses. The first two accept only existing users, and one concurrent check for each client.
 * Guesses are throttled.
 */
public final class PasswordChecks implements AutoCloseable {

  /** The number of failures in a minute from which responses to an address are delayed. */
  public static final int SLOW_FROM = 10;

  /**
   * The maximum rate of guesses. It is lower for expensive hashes, because each check is followed
   * by a pause of the same length.
   */
  public static final int MAX_GUESSES_PER_SECOND = 5;

  /** The capacity of each of the first two queues. */
  public static final int MAX_TRUSTED = 16;

  /** The capacity for guesses on connections without a wrong password. */
  public static final int MAX_OTHERS = 64;

  /** How long a client stays in the first queue after a successful login. */
  public static final Duration LATELY = Duration.ofHours(1);

  private static final int MAX_FAILED = 32;
  private static final int MAX_ADDRESSES = 1_000;
  private static final int IDLE_SECONDS = 5;
  private static final long MINUTE = Duration.ofMinutes(1).toNanos();
  private static final long GUESS_NANOS = TimeUnit.SECONDS.toNanos(1) / MAX_GUESSES_PER_SECOND;

  /** The length in bytes of the IPv6 prefix that a provider assigns; clients choose the rest. */
  private static final int NETWORK_BYTES = 8;

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

  private static final class Recent<V> extends LinkedHashMap<String, V> {

    private static final long serialVersionUID = 1L;

    Recent() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
      return size() > MAX_ADDRESSES;
    }
  }

  private final LongSupplier nanoClock;
  private final LongConsumer pause;

  /** Clients with a waiting or running check in one of the first two queues. */
  private final Set<String> checking = ConcurrentHashMap.newKeySet();

  private final AtomicLong numbers = new AtomicLong();
  private final ThreadPoolExecutor proven = threads(1, "passwords", new LinkedBlockingQueue<>());
  private final ThreadPoolExecutor fresh = threads(2, "passwords-new", new LinkedBlockingQueue<>());
  private final ThreadPoolExecutor guesses =
      threads(1, "passwords-guesses", new PriorityBlockingQueue<>());
  private final Map<String, Failures> addresses = new Recent<>();

  /** The time of the last successful login, by address and user. */
  private final Map<String, Long> logins = new Recent<>();

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
   * @param user the user name; empty if the user does not exist
   * @param failures the number of wrong passwords on the connection
   * @return false if too many checks are waiting
   */
  public boolean add(Optional<String> user, String address, int failures, Runnable work) {
    String network = network(address);
    if (user.isPresent()) {
      String login = login(user.get(), network);
      if (hasLoggedIn(login) && addTrusted(proven, login, work)) {
        return true;
      }
      if (failures(network) == 0 && addTrusted(fresh, network, work)) {
        return true;
      }
    }
    int most = failures == 0 ? MAX_OTHERS : MAX_FAILED;
    return add(guesses, most, failures, () -> guess(work));
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
    boolean isTaken = add(pool, MAX_TRUSTED, 0, check);
    if (!isTaken) {
      checking.remove(client);
    }
    return isTaken;
  }

  private boolean add(ThreadPoolExecutor pool, int most, int failures, Runnable work) {
    if (pool.isShutdown() || pool.getQueue().size() >= most) {
      return false;
    }
    pool.execute(new Check(failures, numbers.getAndIncrement(), work));
    return true;
  }

  /** Runs a guess and pauses for the same time, so that guesses use at most half of a core. */
  private void guess(Runnable work) {
    long start = nanoClock.getAsLong();
    work.run();
    long took = nanoClock.getAsLong() - start;
    pause.accept(Math.max(took, GUESS_NANOS - took));
  }

  /** Records a successful login from the address. */
  public void succeeded(String user, String address) {
    synchronized (logins) {
      logins.put(login(user, network(address)), nanoClock.getAsLong());
    }
  }

  private boolean hasLoggedIn(String login) {
    synchronized (logins) {
      Long last = logins.get(login);
      return last != null && nanoClock.getAsLong() - last <= LATELY.toNanos();
    }
  }

  private static String login(String user, String network) {
    return network + " " + user;
  }

  /** Records a wrong password from the address. */
  public void failed(String address) {
    synchronized (addresses) {
      Failures known = addresses.computeIfAbsent(network(address), unused -> new Failures());
      long now = nanoClock.getAsLong();
      if (known.count == 0 || now - known.since > MINUTE) {
        known.since = now;
        known.count = 0;
      }
      known.count++;
    }
  }

  public boolean isSlow(String address) {
    return failures(network(address)) >= SLOW_FROM;
  }

  private int failures(String network) {
    synchronized (addresses) {
      Failures known = addresses.get(network);
      return known == null || nanoClock.getAsLong() - known.since > MINUTE ? 0 : known.count;
    }
  }

  /** The address, or the /64 network of an IPv6 address. */
  private static String network(String address) {
    if (address.indexOf(':') < 0) {
      return address;
    }
    try {
      // A literal address does not cause a DNS lookup.
      byte[] bytes = InetAddress.getByName(address).getAddress();
      return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, NETWORK_BYTES));
    } catch (UnknownHostException e) {
      return address;
    }
  }

  @Override
  public void close() {
    proven.shutdownNow();
    fresh.shutdownNow();
    guesses.shutdownNow();
  }
}
