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
 * The checks of passwords that take a bcrypt each, in three queues with threads of their own:
 * clients that logged in lately, other clients without a recent failure, and guesses. The first two
 * take only names of users that exist, and one check of a client at a time. Guesses are slowed.
 */
public final class PasswordChecks implements AutoCloseable {

  /** From this many failures in a minute on, the answers to an address are delayed. */
  public static final int SLOW_FROM = 10;

  /** Checks per second; at high costs fewer, since each is followed by a pause of its length. */
  public static final int MAX_GUESSES_PER_SECOND = 5;

  /** Waiting checks of each of the first two queues. */
  public static final int MAX_TRUSTED = 16;

  /** Waiting guesses on connections without a wrong password. */
  public static final int MAX_OTHERS = 64;

  /** How long a client that logged in keeps its queue. */
  public static final Duration LATELY = Duration.ofHours(1);

  private static final int MAX_FAILED = 32;
  private static final int MAX_ADDRESSES = 1_000;
  private static final int IDLE_SECONDS = 5;
  private static final long MINUTE = Duration.ofMinutes(1).toNanos();
  private static final long GUESS_NANOS = TimeUnit.SECONDS.toNanos(1) / MAX_GUESSES_PER_SECOND;

  /** Bytes of an address of IPv6 that a provider assigns; a client chooses the others. */
  private static final int NETWORK_BYTES = 8;

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

  /** Clients whose check is in one of the first two queues, or runs. */
  private final Set<String> checking = ConcurrentHashMap.newKeySet();

  private final AtomicLong numbers = new AtomicLong();
  private final ThreadPoolExecutor proven = threads(1, "passwords", new LinkedBlockingQueue<>());
  private final ThreadPoolExecutor fresh = threads(2, "passwords-new", new LinkedBlockingQueue<>());
  private final ThreadPoolExecutor guesses =
      threads(1, "passwords-guesses", new PriorityBlockingQueue<>());
  private final Map<String, Failures> addresses = new Recent<>();

  /** When a client logged in last, by address and user. */
  private final Map<String, Long> logins = new Recent<>();

  public PasswordChecks(LongSupplier nanoClock) {
    this(nanoClock, PasswordChecks::sleep);
  }

  /**
   * @param pause waits for a number of nanoseconds
   */
  PasswordChecks(LongSupplier nanoClock, LongConsumer pause) {
    this.nanoClock = nanoClock;
    this.pause = pause;
  }

  private static void sleep(long nanos) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException e) {
      // The exporter ends.
      Thread.currentThread().interrupt();
    }
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
   * @param user if there is one of the name
   * @param failures of the connection
   * @return false if too many checks wait
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

  /** Leaves at least half of a core to other work. */
  private void guess(Runnable work) {
    long start = nanoClock.getAsLong();
    work.run();
    long took = nanoClock.getAsLong() - start;
    pause.accept(Math.max(took, GUESS_NANOS - took));
  }

  /** A right password came from the address. */
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

  /** A wrong password came from the address. */
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

  /** The address, or of IPv6 its /64 network. */
  private static String network(String address) {
    if (address.indexOf(':') < 0) {
      return address;
    }
    try {
      // A literal address: no name is looked up.
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
