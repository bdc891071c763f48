package ecoflow.mqtt;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Sends the pings of one connection, and checks that the broker still sends data. Used on the event
 * loop only.
 */
final class Keepalive {

  /** Checks per keepalive interval. */
  private static final int CHECKS = 4;

  /** With this number an answer may take a whole interval. */
  private static final int CHECKS_PER_PING = 2;

  private static final int MAX_SILENT_CHECKS = 6;
  private static final long NO_TIMER = -1;

  private final Loop loop;
  private final long intervalMillis;
  private final LongSupplier nanoClock;
  private final Runnable ping;
  private final Runnable silent;
  private long heardAt;
  private long checks;
  private long timer = NO_TIMER;

  /**
   * @param ping sends a ping to the broker
   * @param silent called at each check after the broker has sent nothing for one and a half
   *     intervals
   */
  Keepalive(Loop loop, Duration interval, LongSupplier nanoClock, Runnable ping, Runnable silent) {
    this.loop = loop;
    this.intervalMillis = interval.toMillis();
    this.nanoClock = nanoClock;
    this.ping = ping;
    this.silent = silent;
  }

  void start() {
    heard();
    timer = loop.vertx().setPeriodic(intervalMillis / CHECKS, unused -> check());
  }

  /** Has no effect before {@link #start}. */
  void stop() {
    loop.vertx().cancelTimer(timer);
  }

  /** Records that the broker has sent data. */
  void heard() {
    heardAt = nanoClock.getAsLong();
  }

  private void check() {
    Duration silence = Duration.ofNanos(nanoClock.getAsLong() - heardAt);
    if (silence.toMillis() >= intervalMillis * MAX_SILENT_CHECKS / CHECKS) {
      silent.run();
    } else if (++checks % CHECKS_PER_PING == 0) {
      ping.run();
    }
  }
}
