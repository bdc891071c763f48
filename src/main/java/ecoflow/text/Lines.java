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
import java.util.stream.Collectors;
import org.slf4j.Logger;

/**
 * Log lines with a rate limit, and the texts in them.
 *
 * <p>Of lines with the same subject, the first is logged, and then one per minute (or per another
 * pause) with the number of lines that were left out. Those go to DEBUG, or are dropped.
 */
public final class Lines {

  public static final Duration MINUTE = Duration.ofMinutes(1);
  private static final int MAX_SUBJECTS = 1000;
  private static final int MAX_CHARACTERS = 160;
  private static final int MAX_NAME = 200;
  private static final int MAX_LISTED = 20;
  private static final int MAX_CAUSES = 12;
  private static final int CHARACTERS_PER_MISTAKE = 4;

  /**
   * Control characters, line separators, characters that change the direction of text, and halves
   * of surrogate pairs.
   */
  private static final Pattern CONTROLS =
      Pattern.compile(
          "[\\p{Cc}\\p{Cs}\\x{2028}\\x{2029}\\x{61C}\\x{200E}\\x{200F}"
              + "\\x{202A}-\\x{202E}\\x{2066}-\\x{2069}]+");

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
   * Creates a rate limit.
   *
   * @param pause between two lines with the same subject
   * @param leftOutAtDebug whether lines that are left out go to DEBUG; false where DEBUG has
   *     another line about the event
   */
  public Lines(Logger log, LongSupplier nanoClock, Duration pause, boolean leftOutAtDebug) {
    this.log = log;
    this.nanoClock = nanoClock;
    this.pause = pause.toNanos();
    this.leftOutAtDebug = leftOutAtDebug;
  }

  /**
   * Logs a line unless one with the same subject was logged within the pause.
   *
   * @param subject the key of equal lines, such as the device and the kind of failure
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

  /** The cause of a failure in a few words. */
  public static String describe(Throwable failure) {
    return Failures.describe(failure, null);
  }

  /**
   * The cause of a failure and the call that failed.
   *
   * @param path of the HTTPS call that failed; null for other failures
   */
  public static String describe(Throwable failure, String path) {
    return Failures.describe(failure, path);
  }

  /** The root cause with its class, for unexpected failures. */
  public static String root(Throwable failure) {
    Throwable cause = rootCause(failure);
    return cause.getClass().getSimpleName() + ": " + oneLine(cause.getMessage());
  }

  /**
   * All failures of the chain with their classes, the outermost first, without those that only
   * repeat the text of their cause.
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

  /** The innermost cause; the failure itself if it has none. */
  public static Throwable rootCause(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** The text of a parser's failure, without its class. */
  public static String complaint(Throwable failure) {
    Throwable cause = rootCause(failure);
    return oneLine(
        cause instanceof JacksonException json ? json.getOriginalMessage() : cause.getMessage());
  }

  /** External text, cut to the maximum length of a log line. */
  public static String oneLine(String text) {
    String line = CONTROLS.matcher(String.valueOf(text)).replaceAll(" ").strip();
    return line.length() <= MAX_CHARACTERS ? line : cut(line, MAX_CHARACTERS) + "...";
  }

  /**
   * A serial number or a name from outside, without control characters and cut to {@value
   * #MAX_NAME} characters, for labels, pages and log lines.
   */
  public static String name(String text) {
    if (text.length() <= MAX_NAME && isPrintableAscii(text)) {
      return text;
    }
    return cut(CONTROLS.matcher(text).replaceAll(""), MAX_NAME);
  }

  /** Most names and every serial number; the topic of each message asks. */
  private static boolean isPrintableAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < ' ' || text.charAt(i) > '~') {
        return false;
      }
    }
    return true;
  }

  /** At most so many characters; one outside the Basic Multilingual Plane counts once. */
  private static String cut(String text, int most) {
    return text.codePointCount(0, text.length()) <= most
        ? text
        : text.substring(0, text.offsetByCodePoints(0, most));
  }

  /** The first {@value #MAX_LISTED} of some texts, and how many more there are. */
  public static String some(Collection<String> texts) {
    String listed = texts.stream().limit(MAX_LISTED).collect(Collectors.joining(", "));
    return texts.size() <= MAX_LISTED
        ? listed
        : listed + " and " + (texts.size() - MAX_LISTED) + " more";
  }

  /**
   * The most similar name, ignoring case.
   *
   * @param most the maximum number of different characters
   */
  public static Optional<String> nearest(String name, Collection<String> names, int most) {
    return Distance.nearest(name, names, most);
  }

  /** The most similar serial number; with more differences any device would match. */
  public static Optional<String> nearestSerial(String serial, Collection<String> serials) {
    return Distance.nearest(serial, serials, serial.length() / CHARACTERS_PER_MISTAKE);
  }

  /** Seconds, with a fraction only if it is not zero. */
  public static String seconds(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? Long.toString(duration.toSeconds())
        : Double.toString(duration.toMillis() / 1000.0);
  }

  /** Masks the user id, or the account of developer keys, in topics. */
  public static String withoutUser(String topics) {
    return USER.matcher(topics).replaceAll("/$1***/");
  }
}
