package ecoflow.api;

import ecoflow.text.Lines;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The phase before the first answer of the cloud: up to ESTABLISH_ATTEMPTS attempts, then the
 * process exits. The pause between them starts at RETRY_TIMEOUT and doubles up to
 * MAX_RECONNECT_DELAY: an exporter that is restarted repeatedly must not log in every two minutes
 * during an outage.
 */
final class FirstContact {

  private static final Logger LOG = LoggerFactory.getLogger(FirstContact.class);

  private final int attempts;
  private final Duration longestPause;
  private final Runnable giveUp;
  private Duration pause;
  private boolean made;
  private int failures;

  /**
   * @param pause after the first attempt
   * @param longestPause has no effect if it is shorter than the first pause
   * @param giveUp ends the process; called once
   */
  FirstContact(int attempts, Duration pause, Duration longestPause, Runnable giveUp) {
    this.attempts = attempts;
    this.pause = pause;
    this.longestPause = longestPause.compareTo(pause) > 0 ? longestPause : pause;
    this.giveUp = giveUp;
  }

  public synchronized boolean isMade() {
    return made;
  }

  /** Whether no further attempts follow: the cloud has answered, or the process exits. */
  synchronized boolean isOver() {
    return made || failures >= attempts;
  }

  /** The pause between the last attempt and the next one. */
  synchronized Duration pause() {
    return pause;
  }

  synchronized void succeeded() {
    made = true;
  }

  /** Counts and logs a failure before the first success; the last one ends the process. */
  synchronized void failed(String what) {
    if (isOver()) {
      return;
    }
    failures++;
    if (failures < attempts) {
      if (failures > 1) {
        pause = Api.doubled(pause, longestPause);
      }
      LOG.warn(
          "{}; attempt {} of {}, next attempt in {} s",
          what,
          failures,
          attempts,
          Lines.seconds(pause));
    } else {
      LOG.error("{}; attempt {} of {}, giving up", what, failures, attempts);
      giveUp.run();
    }
  }
}
