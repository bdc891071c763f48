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
 * Ends the process after an {@link OutOfMemoryError} with one line and exit code 3, like the JVM
 * with -XX:+ExitOnOutOfMemoryError. A jar cannot set that flag. Without it, the error ends only the
 * current task, and the rest of the process continues in an inconsistent state.
 *
 * <p>It halts the JVM, because an orderly shutdown needs memory and may wait forever.
 */
public final class OutOfMemory {

  public static final int EXIT_CODE = 3;

  private static final int MAX_CAUSES = 20;
  private static final int MAX_CHARACTERS = 200;
  // Created in advance, because no memory may be available later.
  private static final FileOutputStream ERR = new FileOutputStream(FileDescriptor.err);
  private static final byte[] START = "ecoflow-exporter: out of memory (".getBytes(US_ASCII);
  private static final byte[] REST =
      ("); exiting with exit code " + EXIT_CODE + System.lineSeparator()).getBytes(US_ASCII);
  private static final byte[] LINE = new byte[START.length + MAX_CHARACTERS + REST.length];

  private OutOfMemory() {}

  /**
   * Detects errors that end a thread, and errors that a library catches and logs: their stack
   * traces are written to the stream of the log.
   */
  public static void watchProcess() {
    ReplacedJar.watchProcess();
    Thread.setDefaultUncaughtExceptionHandler(OutOfMemory::uncaught);
    System.setErr(new WatchedStream(System.err));
  }

  /** Detects errors in the steps of all routes that are added after this call. */
  public static void watchSteps(CamelContext camel) {
    camel.getCamelContextExtension().addInterceptStrategy(new WatchedSteps());
  }

  /**
   * Ends the process if the failure is an OutOfMemoryError or was caused by one, or if a class
   * could not be loaded because its jar was replaced. Does nothing for null.
   */
  public static void endIf(Throwable failure) {
    OutOfMemoryError error = find(failure);
    if (error != null) {
      end(error);
    }
    ReplacedJar.endIf(failure);
  }

  static OutOfMemoryError find(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
      if (cause instanceof OutOfMemoryError error) {
        return error;
      }
      cause = cause.getCause();
    }
    return null;
  }

  /** The first thread with this error ends the process; other threads wait here. */
  private static synchronized void end(OutOfMemoryError error) {
    try {
      ERR.write(LINE, 0, fillLine(error.getMessage()));
    } catch (IOException | OutOfMemoryError e) {
      // An exit without a line is better than continuing.
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
    log.error("Thread {} failed", thread.getName(), failure);
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
