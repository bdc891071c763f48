package ecoflow.api;

import java.time.Duration;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Limits the rate of logins at each API host, because EcoFlow has blocked clients after bursts of
 * logins. After a response that requests fewer calls, the rate at the host is halved; it doubles
 * again after ten minutes without such a response. A reserved login that is not used can be
 * returned, so that another account gets it.
 */
final class LoginPace {

  private static final Duration RECOVERY = Duration.ofMinutes(10);
  private static final int MAX_HALVINGS = 6;

  /**
   * A reserved login.
   *
   * @param start time of its start in nanoseconds
   */
  record Reserved(String host, long start) {}

  private static final class Host {
    private boolean isUsed;

    /** The time of the login after the last reserved one, without a burst. */
    private long next;

    /** The start of each returned login. */
    private final TreeSet<Long> returned = new TreeSet<>();

    private int halvings;
    private long changedAt;
  }

  private final long interval;
  private final int burst;
  private final LongSupplier nanoClock;
  private final long start;
  private final Map<String, Host> hosts = new ConcurrentHashMap<>();

  /**
   * @param perSecond logins per second
   * @param burst number of logins that can start at once
   */
  LoginPace(double perSecond, int burst, LongSupplier nanoClock) {
    this.interval = Math.round(Duration.ofSeconds(1).toNanos() / perSecond);
    this.burst = burst;
    this.nanoClock = nanoClock;
    this.start = nanoClock.getAsLong();
  }

  private Host host(String name) {
    return hosts.computeIfAbsent(name, unused -> new Host());
  }

  /** Relative to the start, because values of the clock can overflow. */
  private long now() {
    return nanoClock.getAsLong() - start;
  }

  /** Reserves the next login. */
  Reserved reserve(String name) {
    Host host = host(name);
    synchronized (host) {
      long now = now();
      recover(host, now);
      long step = interval << host.halvings;
      if (!host.isUsed || host.next - now < 0) {
        host.next = now;
      }
      host.isUsed = true;
      long next = Math.max(now, host.next - (burst - 1) * step);
      host.returned.headSet(now).clear();
      if (!host.returned.isEmpty() && host.returned.first() <= next) {
        return new Reserved(name, host.returned.pollFirst());
      }
      host.next += step;
      return new Reserved(name, next);
    }
  }

  /** Time until the start of a reserved login. */
  Duration pause(Reserved login) {
    return Duration.ofNanos(Math.max(0, login.start() - now()));
  }

  /** Returns a login that is not needed; has no effect after its start. */
  void giveBack(Reserved login) {
    Host host = host(login.host());
    synchronized (host) {
      if (login.start() > now()) {
        host.returned.add(login.start());
      }
    }
  }

  /** Halves the rate at a host. */
  void halve(String name) {
    Host host = host(name);
    synchronized (host) {
      long now = now();
      recover(host, now);
      host.halvings = Math.min(MAX_HALVINGS, host.halvings + 1);
      host.changedAt = now;
    }
  }

  private static void recover(Host host, long now) {
    while (host.halvings > 0 && now - host.changedAt >= RECOVERY.toNanos()) {
      host.halvings--;
      host.changedAt += RECOVERY.toNanos();
    }
  }
}
