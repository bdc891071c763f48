package ecoflow.text;

import com.fasterxml.jackson.core.JacksonException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.slf4j.Logger;

/**
 * Lines for the log, and the words in them.
 *
 * <p>An object of this class does not flood: of lines about the same thing only the first is
 * written, and then one a minute (or another pause) that says how many there were. Lines left out
 * go to DEBUG or nowhere.
 */
public final class Lines {

  public static final Duration MINUTE = Duration.ofMinutes(1);
  private static final int MAX_SUBJECTS = 1000;
  private static final int MAX_CHARACTERS = 160;
  private static final int MAX_CAUSES = 12;
  private static final int CHARACTERS_PER_MISTAKE = 4;
  private static final Pattern USER = Pattern.compile("/(app/(?!device/)|open/)[^/]+/");

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
          return size() > MAX_SUBJECTS;
        }
      };

  public Lines(Logger log, LongSupplier nanoClock) {
    this(log, nanoClock, MINUTE, true);
  }

  /**
   * @param pause between two lines about the same thing
   * @param leftOutAtDebug whether lines left out go to DEBUG; false where DEBUG tells the same in
   *     other words
   */
  public Lines(Logger log, LongSupplier nanoClock, Duration pause, boolean leftOutAtDebug) {
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

  /** Why something failed, in a few words. */
  public static String describe(Throwable failure) {
    return Failures.describe(failure, null);
  }

  /**
   * Why something failed, and in which call.
   *
   * @param path of the HTTPS call that failed; null if the failure is not about one
   */
  public static String describe(Throwable failure, String path) {
    return Failures.describe(failure, path);
  }

  /** The failure at the bottom, with its class: for what no one expected. */
  public static String root(Throwable failure) {
    Throwable cause = Failures.root(failure);
    return cause.getClass().getSimpleName() + ": " + oneLine(cause.getMessage());
  }

  /**
   * Every failure of the chain with its class, the outermost first; without those that only repeat
   * what is below them.
   */
  public static String chain(Throwable failure) {
    List<String> told = new ArrayList<>();
    Throwable outer = failure;
    for (int depth = 0; outer != null && depth < MAX_CAUSES; depth++) {
      Throwable cause = outer.getCause() == outer ? null : outer.getCause();
      String words = String.valueOf(outer.getMessage());
      boolean isWrapper =
          cause != null && cause.getMessage() != null && words.contains(cause.getMessage());
      if (!isWrapper) {
        told.add(outer.getClass().getSimpleName() + ": " + oneLine(words));
      }
      outer = cause;
    }
    return String.join("; ", told);
  }

  /** What a reader of messages says of one that it cannot read, without its class. */
  public static String complaint(Throwable failure) {
    Throwable cause = Failures.root(failure);
    return oneLine(
        cause instanceof JacksonException json ? json.getOriginalMessage() : cause.getMessage());
  }

  /** Text from outside, cut to a length that a line can hold. */
  public static String oneLine(String text) {
    String line = String.valueOf(text).replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= MAX_CHARACTERS ? line : line.substring(0, MAX_CHARACTERS) + "...";
  }

  /**
   * The name that differs least from another one, whatever the case of its letters.
   *
   * @param most how many characters may differ at most
   */
  public static Optional<String> nearest(String name, Collection<String> names, int most) {
    return Distance.nearest(name, names, most);
  }

  /** The serial number that may have been meant: more differences would make any device near. */
  public static Optional<String> nearestSerial(String serial, Collection<String> serials) {
    return Distance.nearest(serial, serials, serial.length() / CHARACTERS_PER_MISTAKE);
  }

  /** Seconds, with a fraction only where there is one. */
  public static String seconds(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? Long.toString(duration.toSeconds())
        : Double.toString(duration.toMillis() / 1000.0);
  }

  /** Topics without the user id, or the account of developer keys, that they hold. */
  public static String withoutUser(String topics) {
    return USER.matcher(topics).replaceAll("/$1***/");
  }
}
