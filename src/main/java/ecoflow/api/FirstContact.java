package ecoflow.api;

import ecoflow.text.Lines;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The time before the cloud answered for the first time: ESTABLISH_ATTEMPTS tries, RETRY_TIMEOUT
 * apart, then the process ends. After one success it only says "made".
 */
final class FirstContact {

  private static final Logger LOG = LoggerFactory.getLogger(FirstContact.class);

  private final int attempts;
  private final Duration pause;
  private final Runnable giveUp;
  private boolean made;
  private int failures;

  /**
   * @param giveUp ends the process; called once
   */
  FirstContact(int attempts, Duration pause, Runnable giveUp) {
    this.attempts = attempts;
    this.pause = pause;
    this.giveUp = giveUp;
  }

  public synchronized boolean isMade() {
    return made;
  }

  synchronized void succeeded() {
    made = true;
  }

  /** Counts one more failure before the first success, says so, and gives up after the last one. */
  synchronized void failed(String what) {
    if (made || failures >= attempts) {
      return;
    }
    failures++;
    if (failures < attempts) {
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
