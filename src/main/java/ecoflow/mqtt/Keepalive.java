package ecoflow.mqtt;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Sends pings on one connection, and detects a broker that no longer sends data. Used on the event
 * loop only.
 */
final class Keepalive {

  private static final int CHECKS_PER_INTERVAL = 4;

  /** Two pings per interval, so that a response may take a whole interval. */
  private static final int CHECKS_PER_PING = 2;

  private static final int MAX_SILENT_CHECKS = 6;
  private static final long NO_TIMER = -1;

  private final Loop loop;
  private final long intervalMillis;
  private final LongSupplier nanoClock;
  private final Runnable ping;
  private final Runnable onSilence;
  private long lastReceivedAt;
  private long checks;
  private long timer = NO_TIMER;

  /**
   * @param ping sends a ping to the broker
   * @param onSilence runs at each check after the broker has not sent data for 1.5 intervals
   */
  Keepalive(
      Loop loop, Duration interval, LongSupplier nanoClock, Runnable ping, Runnable onSilence) {
    this.loop = loop;
    this.intervalMillis = interval.toMillis();
    this.nanoClock = nanoClock;
    this.ping = ping;
    this.onSilence = onSilence;
  }

  void start() {
    dataReceived();
    timer = loop.vertx().setPeriodic(intervalMillis / CHECKS_PER_INTERVAL, unused -> check());
  }

  /** Has no effect before {@link #start}. */
  void stop() {
    loop.vertx().cancelTimer(timer);
  }

  /** Must be called whenever the broker has sent data. */
  void dataReceived() {
    lastReceivedAt = nanoClock.getAsLong();
  }

  private void check() {
    Duration silence = Duration.ofNanos(nanoClock.getAsLong() - lastReceivedAt);
    if (silence.toMillis() >= intervalMillis * MAX_SILENT_CHECKS / CHECKS_PER_INTERVAL) {
      onSilence.run();
    } else if (++checks % CHECKS_PER_PING == 0) {
      ping.run();
    }
  }
}
