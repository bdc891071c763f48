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
import org.slf4j.event.Level;

/**
 * Log lines with a rate limit, and functions for text in log lines.
 *
 * <p>The first line with a subject is logged immediately; further lines are logged at most once per
 * minute, or per another interval, with the number of lines that were suppressed. Suppressed lines
 * are logged at DEBUG or dropped.
 */
public final class Lines {

  public static final Duration MINUTE = Duration.ofMinutes(1);
  private static final int MAX_SUBJECTS = 1000;
  private static final int MAX_CHARACTERS = 160;
  private static final int MAX_NAME = 200;
  private static final int MAX_LISTED = 20;
  private static final int MAX_CAUSES = 12;
  private static final int CHARACTERS_PER_TYPO = 4;

  /**
   * Control characters, line separators, characters that change the direction of text, and halves
   * of surrogate pairs.
   */
  private static final Pattern CONTROLS =
      Pattern.compile(
          "[\\p{Cc}\\p{Cs}\\x{2028}\\x{2029}\\x{61C}\\x{200E}\\x{200F}"
              + "\\x{202A}-\\x{202E}\\x{2066}-\\x{2069}]+");

  private static final Pattern USER = Pattern.compile("/(app/(?!device/)|open/)[^/]+/");

  /** A qualified class name with the hash code of an object. */
  private static final Pattern OBJECT =
      Pattern.compile("\\b((?:[a-z_]\\w*\\.)+[A-Z][\\w$]*)@[0-9a-f]+\\b");

  private static final class Subject {
    long loggedAt;
    long suppressed;
  }

  private final Logger log;
  private final LongSupplier nanoClock;
  private final long pause;
  private final boolean suppressedAtDebug;
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
   * @param pause minimum time between two lines with the same subject
   * @param suppressedAtDebug whether suppressed lines are logged at DEBUG; false if another DEBUG
   *     line describes the event
   */
  public Lines(Logger log, LongSupplier nanoClock, Duration pause, boolean suppressedAtDebug) {
    this.log = log;
    this.nanoClock = nanoClock;
    this.pause = pause.toNanos();
    this.suppressedAtDebug = suppressedAtDebug;
  }

  /**
   * Logs a line, unless a line with the same subject was logged less than the pause ago.
   *
   * @param subject identifies similar lines, such as the device and the kind of failure
   * @return whether the line was logged
   */
  public boolean warn(String subject, String line) {
    return log(Level.WARN, subject, line);
  }

  /** Like {@link #warn}, with the level ERROR. */
  public boolean error(String subject, String line) {
    return log(Level.ERROR, subject, line);
  }

  private boolean log(Level level, String subject, String line) {
    long now = nanoClock.getAsLong();
    long suppressed;
    synchronized (subjects) {
      Subject known = subjects.get(subject);
      if (known != null && now - known.loggedAt < pause) {
        known.suppressed++;
        if (suppressedAtDebug) {
          log.debug("{}", line);
        }
        return false;
      }
      suppressed = known == null ? 0 : known.suppressed;
      Subject fresh = new Subject();
      fresh.loggedAt = now;
      subjects.put(subject, fresh);
    }
    if (suppressed > 0) {
      log.atLevel(level).log("{} (similar lines suppressed: {})", line, suppressed);
    } else {
      log.atLevel(level).log("{}", line);
    }
    return true;
  }

  /**
   * Logs a line unless it repeats the last line that was logged with the same subject. A line that
   * the rate limit suppresses is not lost: if it is repeated, it is logged after the pause.
   *
   * @param logged the last logged line of each subject
   */
  public void warnOnChange(Map<String, String> logged, String subject, String line) {
    if (line.equals(logged.get(subject))) {
      log.debug("{}", line);
    } else if (warn(subject, line)) {
      logged.put(subject, line);
    }
  }

  /** A short description of a failure. */
  public static String describe(Throwable failure) {
    return Failures.describe(failure, null);
  }

  /**
   * A short description of a failure, with the call that failed.
   *
   * @param path the path of the HTTPS call that failed; null for other failures
   */
  public static String describe(Throwable failure, String path) {
    return Failures.describe(failure, path);
  }

  /**
   * The reason why a file cannot be read, as the end of a sentence. Call it after an attempt to
   * read the file has failed.
   */
  public static String unreadable(String file) {
    return UnreadableFile.reason(file);
  }

  /** The root cause with its class, for unexpected failures. */
  public static String root(Throwable failure) {
    Throwable cause = rootCause(failure);
    return cause.getClass().getSimpleName() + ": " + oneLine(withoutHashes(cause.getMessage()));
  }

  /** Removes the hash codes of objects, such as in {@code java.lang.Object@1b2c3d}. */
  private static String withoutHashes(String text) {
    return OBJECT.matcher(String.valueOf(text)).replaceAll("$1");
  }

  /**
   * All failures of the chain with their classes, starting with the outermost, without those that
   * only repeat the text of their cause.
   */
  public static String chain(Throwable failure) {
    List<String> messages = new ArrayList<>();
    Throwable outer = failure;
    for (int depth = 0; outer != null && depth < MAX_CAUSES; depth++) {
      Throwable cause = outer.getCause() == outer ? null : outer.getCause();
      String message = String.valueOf(outer.getMessage());
      boolean isWrapper =
          cause != null && cause.getMessage() != null && message.contains(cause.getMessage());
      if (!isWrapper) {
        messages.add(outer.getClass().getSimpleName() + ": " + oneLine(message));
      }
      outer = cause;
    }
    return String.join("; ", messages);
  }

  /** The innermost cause; the failure itself if it has none. */
  public static Throwable rootCause(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    return cause;
  }

  /**
   * The message of a parser, without the class of the exception. Failures in the user's routes are
   * described by their step.
   */
  public static String parserMessage(Throwable failure) {
    Optional<String> step = FailedStep.describe(failure);
    if (step.isPresent()) {
      return step.get();
    }
    Throwable cause = rootCause(failure);
    return oneLine(
        cause instanceof JacksonException json ? json.getOriginalMessage() : cause.getMessage());
  }

  /** Text from an external source as one line, cut to a maximum length. */
  public static String oneLine(String text) {
    String line = CONTROLS.matcher(String.valueOf(text)).replaceAll(" ").strip();
    return line.length() <= MAX_CHARACTERS ? line : cut(line, MAX_CHARACTERS) + "...";
  }

  /** Text of any length with a question mark in place of each control character. */
  public static String printable(String text) {
    return CONTROLS.matcher(text).replaceAll(run -> "?".repeat(run.group().length()));
  }

  /**
   * A serial number or a name from an external source, without control characters and cut to
   * {@value #MAX_NAME} characters, for labels, pages and log lines.
   */
  public static String name(String text) {
    return name(text, MAX_NAME);
  }

  /** A label in the format of Prometheus and OpenMetrics, with an escaped value. */
  public static String label(String name, String value) {
    String escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\"", "\\\"");
    return name + "=\"" + escaped + "\"";
  }

  /** Like the other method, with another maximum number of characters. */
  public static String name(String text, int max) {
    if (text.length() <= max && isPrintableAscii(text)) {
      return text;
    }
    return cut(CONTROLS.matcher(text).replaceAll(""), max);
  }

  /**
   * Fast path for most names and all serial numbers, because the topic of each message is checked.
   */
  private static boolean isPrintableAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < ' ' || text.charAt(i) > '~') {
        return false;
      }
    }
    return true;
  }

  /** Cuts the text to a number of code points. */
  private static String cut(String text, int max) {
    return text.codePointCount(0, text.length()) <= max
        ? text
        : text.substring(0, text.offsetByCodePoints(0, max));
  }

  /** The first {@value #MAX_LISTED} texts, followed by the number of the others. */
  public static String abbreviate(Collection<String> texts) {
    String listed = texts.stream().limit(MAX_LISTED).collect(Collectors.joining(", "));
    return texts.size() <= MAX_LISTED
        ? listed
        : listed + " and " + (texts.size() - MAX_LISTED) + " more";
  }

  /**
   * The most similar name, ignoring case.
   *
   * @param max the maximum number of different characters
   */
  public static Optional<String> nearest(String name, Collection<String> names, int max) {
    return Distance.nearest(name, names, max);
  }

  /**
   * The most similar serial number. The limit is low, because with more differences any device
   * would match.
   */
  public static Optional<String> nearestSerial(String serial, Collection<String> serials) {
    return Distance.nearest(serial, serials, serial.length() / CHARACTERS_PER_TYPO);
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
