package ecoflow.metrics;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * A log that does not flood: of lines about the same thing only the first is written, and then one
 * a minute (or another pause) that says how many there were. Lines left out go to DEBUG or nowhere.
 */
public final class CalmLog {

  public static final Duration MINUTE = Duration.ofMinutes(1);
  private static final int MOST_SUBJECTS = 1000;

  private static final class Subject {
    long loggedAt;
    long leftOut;
  }

  private final Logger log;
  private final LongSupplier nanoClock;
  private final long pause;
  private final boolean leftOutAtDebug;
  private final Map<String, Subject> subjects =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Subject> eldest) {
          return size() > MOST_SUBJECTS;
        }
      };

  public CalmLog(Logger log, LongSupplier nanoClock) {
    this(log, nanoClock, MINUTE, true);
  }

  /**
   * @param pause between two lines about the same thing
   * @param leftOutAtDebug whether lines left out go to DEBUG; false where DEBUG tells the same in
   *     other words
   */
  public CalmLog(Logger log, LongSupplier nanoClock, Duration pause, boolean leftOutAtDebug) {
    this.log = log;
    this.nanoClock = nanoClock;
    this.pause = pause.toNanos();
    this.leftOutAtDebug = leftOutAtDebug;
  }

  /**
   * @param subject what makes lines equal, such as the device and the kind of failure
   */
  public void warn(String subject, String line) {
    long now = nanoClock.getAsLong();
    long leftOut;
    synchronized (subjects) {
      Subject known = subjects.get(subject);
      if (known != null && now - known.loggedAt < pause) {
        known.leftOut++;
        if (leftOutAtDebug) {
          log.debug("{}", line);
        }
        return;
      }
      leftOut = known == null ? 0 : known.leftOut;
      Subject fresh = new Subject();
      fresh.loggedAt = now;
      subjects.put(subject, fresh);
    }
    if (leftOut > 0) {
      log.warn("{} ({} more like this since the last line)", line, leftOut);
    } else {
      log.warn("{}", line);
    }
  }
}
