package ecoflow.api;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Limits the rate of logins at each API host, because EcoFlow has blocked clients after bursts of
 * logins. After a response that requests fewer calls, the rate at the host is halved; it doubles
 * again after ten minutes without such a response.
 */
final class LoginPace {

  private static final Duration RECOVERY = Duration.ofMinutes(10);
  private static final int MAX_HALVINGS = 6;

  private static final class Host {
    private boolean isUsed;

    /** The time of the login after the last reserved one, without a burst. */
    private long next;

    private int halvings;
    private long changedAt;
  }

  private final long interval;
  private final int burst;
  private final LongSupplier nanoClock;
  private final Map<String, Host> hosts = new ConcurrentHashMap<>();

  /**
   * @param perSecond logins per second
   * @param burst number of logins that can start at once
   */
  LoginPace(double perSecond, int burst, LongSupplier nanoClock) {
    this.interval = Math.round(Duration.ofSeconds(1).toNanos() / perSecond);
    this.burst = burst;
    this.nanoClock = nanoClock;
  }

  private Host host(String name) {
    return hosts.computeIfAbsent(name, unused -> new Host());
  }

  /** Reserves a login, and returns the time until its start. */
  Duration reserve(String name) {
    Host host = host(name);
    synchronized (host) {
      long now = nanoClock.getAsLong();
      recover(host, now);
      long step = interval << host.halvings;
      if (!host.isUsed || host.next - now < 0) {
        host.next = now;
      }
      host.isUsed = true;
      long pause = Math.max(0, host.next - now - (burst - 1) * step);
      host.next += step;
      return Duration.ofNanos(pause);
    }
  }

  /** Halves the rate at a host. */
  void halve(String name) {
    Host host = host(name);
    synchronized (host) {
      long now = nanoClock.getAsLong();
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
