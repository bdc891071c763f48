package ecoflow.runtime;

import io.netty.channel.DefaultEventLoop;
import java.util.Timer;
import java.util.TimerTask;
import org.slf4j.LoggerFactory;

/** A process that runs out of memory in a given place. It would continue if nothing ended it. */
public final class OutOfMemoryProcess {

  /** For this message, another exception is thrown. */
  static final String HARMLESS = "harmless";

  enum Place {
    THREAD,
    TIMER,
    NETTY_TASK,
    LIBRARY_LOG
  }

  private OutOfMemoryProcess() {}

  /** Arguments: a {@link Place} and the message of the error. */
  public static void main(String[] arguments) throws InterruptedException {
    OutOfMemory.watchProcess();
    Runnable fail = () -> fail(arguments[1]);
    switch (Place.valueOf(arguments[0])) {
      case THREAD -> {
        Thread thread = new Thread(fail, "test-thread");
        thread.start();
        thread.join();
        return;
      }
      case TIMER -> new Timer().schedule(task(fail), 0);
      case NETTY_TASK -> new DefaultEventLoop().execute(fail);
      case LIBRARY_LOG -> {
        try {
          fail.run();
        } catch (OutOfMemoryError e) {
          LoggerFactory.getLogger("library").warn("Continuing", new IllegalStateException(e));
        }
      }
    }
    Thread.sleep(Long.MAX_VALUE);
  }

  private static TimerTask task(Runnable fail) {
    return new TimerTask() {
      @Override
      public void run() {
        fail.run();
      }
    };
  }

  private static void fail(String message) {
    if (message.equals(HARMLESS)) {
      throw new IllegalStateException(message);
    }
    throw new OutOfMemoryError(message);
  }
}
