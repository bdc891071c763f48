package ecoflow.account;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The time before the cloud answered for the first time: ESTABLISH_ATTEMPTS tries, RETRY_TIMEOUT
 * apart, then the process ends. After one success it only says "established".
 */
public final class Establishment {

  private static final Logger LOG = LoggerFactory.getLogger(Establishment.class);

  private final int attempts;
  private final Duration pause;
  private final LongSupplier nanoClock;
  private final Runnable giveUp;
  private boolean established;
  private int failures;
  private long nextAttempt;

  /**
   * @param giveUp ends the process; called once
   */
  public Establishment(int attempts, Duration pause, LongSupplier nanoClock, Runnable giveUp) {
    this.attempts = attempts;
    this.pause = pause;
    this.nanoClock = nanoClock;
    this.giveUp = giveUp;
    this.nextAttempt = nanoClock.getAsLong();
  }

  public synchronized boolean isEstablished() {
    return established;
  }

  /** Always true once established; before that, when RETRY_TIMEOUT is over. */
  public synchronized boolean isAttemptDue() {
    return established || (failures < attempts && nanoClock.getAsLong() - nextAttempt >= 0);
  }

  public synchronized void succeeded() {
    established = true;
  }

  /** Counts one more failure before the first success, says so, and gives up after the last one. */
  public synchronized void failed(String what) {
    if (established || failures >= attempts) {
      return;
    }
    failures++;
    nextAttempt = nanoClock.getAsLong() + pause.toNanos();
    if (failures < attempts) {
      LOG.warn(
          "{}; attempt {} of {}, next attempt in {} s", what, failures, attempts, seconds(pause));
    } else {
      LOG.error("{}; attempt {} of {}, giving up", what, failures, attempts);
      giveUp.run();
    }
  }

  static String seconds(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? Long.toString(duration.toSeconds())
        : Double.toString(duration.toMillis() / 1000.0);
  }
}
