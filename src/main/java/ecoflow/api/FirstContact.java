package ecoflow.api;

import ecoflow.text.Lines;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The phase before the first successful call: the process exits after ESTABLISH_ATTEMPTS failed
 * attempts. The pause between them starts at RETRY_TIMEOUT and doubles up to MAX_RECONNECT_DELAY,
 * so that an exporter that is restarted repeatedly does not log in every two minutes during an
 * outage.
 */
final class FirstContact {

  private static final Logger LOG = LoggerFactory.getLogger(FirstContact.class);

  private final int attempts;
  private final Duration maxPause;
  private final Runnable exit;
  private Duration pause;
  private boolean made;
  private int failures;

  /**
   * @param pause the pause after the first attempt
   * @param maxPause ignored if it is shorter than the first pause
   * @param exit ends the process; called once
   */
  FirstContact(int attempts, Duration pause, Duration maxPause, Runnable exit) {
    this.attempts = attempts;
    this.pause = pause;
    this.maxPause = maxPause.compareTo(pause) > 0 ? maxPause : pause;
    this.exit = exit;
  }

  public synchronized boolean isMade() {
    return made;
  }

  /** Whether no further attempts follow: a call succeeded, or the process exits. */
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
  synchronized void failed(String message) {
    if (isOver()) {
      return;
    }
    failures++;
    if (failures < attempts) {
      if (failures > 1) {
        pause = Api.doubled(pause, maxPause);
      }
      LOG.warn(
          "{}; attempt {} of {}, next attempt in {} s",
          message,
          failures,
          attempts,
          Lines.seconds(pause));
    } else {
      LOG.error("{}; attempt {} of {}, exiting", message, failures, attempts);
      exit.run();
    }
  }
}
