package ecoflow.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the process after an {@link OutOfMemoryError} with one line and exit code 3, as the JVM does
 * with -XX:+ExitOnOutOfMemoryError. A jar cannot set that flag, and without it the error ends only
 * the current task: the rest of the process continues in a broken state.
 *
 * <p>The end is a halt, because an orderly stop needs memory and may wait forever.
 */
public final class OutOfMemory {

  public static final int EXIT_CODE = 3;

  private static final int DEPTH = 20;
  private static final int MAX_CHARACTERS = 200;
  // Created in advance: there may be no memory later.
  private static final FileOutputStream ERR = new FileOutputStream(FileDescriptor.err);
  private static final byte[] START = "ecoflow-exporter: out of memory (".getBytes(US_ASCII);
  private static final byte[] REST =
      ("); the process ends with exit code " + EXIT_CODE + System.lineSeparator())
          .getBytes(US_ASCII);
  private static final byte[] LINE = new byte[START.length + MAX_CHARACTERS + REST.length];

  private OutOfMemory() {}

  /**
   * Watches for errors that end a thread, and for errors that a library catches and logs: the
   * stream of the log sees their stack traces.
   */
  public static void watchProcess() {
    Thread.setDefaultUncaughtExceptionHandler(OutOfMemory::uncaught);
    System.setErr(new WatchedStream(System.err));
  }

  /** Watches all steps of routes that are added after this call. */
  public static void watchSteps(CamelContext camel) {
    camel.getCamelContextExtension().addInterceptStrategy(new WatchedSteps());
  }

  /** Ends the process if this is an OutOfMemoryError, or was caused by one; null is neither. */
  public static void endIf(Throwable failure) {
    OutOfMemoryError error = find(failure);
    if (error != null) {
      end(error);
    }
  }

  static OutOfMemoryError find(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < DEPTH; depth++) {
      if (cause instanceof OutOfMemoryError error) {
        return error;
      }
      cause = cause.getCause();
    }
    return null;
  }

  /** The first of several threads with this error ends the process; the others wait here. */
  private static synchronized void end(OutOfMemoryError error) {
    try {
      ERR.write(LINE, 0, fillLine(error.getMessage()));
    } catch (IOException | OutOfMemoryError e) {
      // Ending without a line is better than continuing.
    } finally {
      Runtime.getRuntime().halt(EXIT_CODE);
    }
  }

  /** Returns the length of the line. Must not allocate memory. */
  private static int fillLine(String reason) {
    int length = START.length;
    System.arraycopy(START, 0, LINE, 0, length);
    for (int i = 0; reason != null && i < Math.min(reason.length(), MAX_CHARACTERS); i++) {
      LINE[length++] = (byte) reason.charAt(i);
    }
    System.arraycopy(REST, 0, LINE, length, REST.length);
    return length + REST.length;
  }

  private static void uncaught(Thread thread, Throwable failure) {
    endIf(failure);
    Logger log = LoggerFactory.getLogger(OutOfMemory.class);
    log.error("Thread {} ended", thread.getName(), failure);
  }

  private static final class WatchedStream extends PrintStream {

    WatchedStream(PrintStream stream) {
      super(stream, true, Charset.defaultCharset());
    }

    /** A stack trace starts with the throwable itself. */
    @Override
    public void println(Object line) {
      if (line instanceof Throwable failure) {
        endIf(failure);
      }
      super.println(line);
    }
  }
}
