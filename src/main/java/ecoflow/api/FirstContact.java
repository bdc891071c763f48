package ecoflow.api;

import ecoflow.text.Lines;
import java.time.Duration;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The phase of an account before its first successful call. The pause between attempts starts at
 * RETRY_TIMEOUT and doubles up to MAX_RECONNECT_DELAY, so that an exporter that is restarted
 * repeatedly does not log in every two minutes during an outage. With a single account, the process
 * exits after ESTABLISH_ATTEMPTS failed attempts.
 */
final class FirstContact {

  private static final Logger LOG = LoggerFactory.getLogger(FirstContact.class);

  private final OptionalInt attempts;
  private final Duration maxPause;
  private final Runnable exit;
  private Duration pause;
  private boolean made;
  private int failures;
  private String lastMessage = "";

  /**
   * @param attempts after which the process exits; empty to continue without a limit
   * @param pause the pause after the first attempt
   * @param maxPause ignored if it is shorter than the first pause
   * @param exit ends the process; called once
   */
  FirstContact(OptionalInt attempts, Duration pause, Duration maxPause, Runnable exit) {
    this.attempts = attempts;
    this.pause = pause;
    this.maxPause = Api.longer(maxPause, pause);
    this.exit = exit;
  }

  public synchronized boolean isMade() {
    return made;
  }

  /** Whether no further attempts follow: a call succeeded, or the process exits. */
  synchronized boolean isOver() {
    return made || (attempts.isPresent() && failures >= attempts.getAsInt());
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
    String attempt =
        attempts.isPresent() ? "attempt " + failures + " of " + attempts.getAsInt() + ", " : "";
    if (isOver()) {
      LOG.error("{}; {}exiting", message, attempt);
      exit.run();
      return;
    }
    if (failures > 1) {
      pause = Api.doubled(pause, maxPause);
    }
    if (attempts.isEmpty() && message.equals(lastMessage)) {
      LOG.debug("{}; next attempt in {} s", message, Lines.seconds(pause));
    } else {
      LOG.warn("{}; {}next attempt in {} s", message, attempt, Lines.seconds(pause));
    }
    lastMessage = message;
  }
}
