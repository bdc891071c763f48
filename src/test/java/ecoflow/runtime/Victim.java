package ecoflow.runtime;

import io.netty.channel.DefaultEventLoop;
import java.util.Timer;
import java.util.TimerTask;
import org.slf4j.LoggerFactory;

/** A process that runs out of memory in a given place; without a watch it would run on. */
public final class Victim {

  /** The message for which another error is thrown. */
  static final String HARMLESS = "harmless";

  enum Place {
    THREAD,
    TIMER,
    NETTY_TASK,
    LOG_OF_A_LIBRARY
  }

  private Victim() {}

  /** Takes a place and the message of the error. */
  public static void main(String[] arguments) throws InterruptedException {
    OutOfMemory.watchProcess();
    Runnable strike = () -> strike(arguments[1]);
    switch (Place.valueOf(arguments[0])) {
      case THREAD -> {
        Thread thread = new Thread(strike, "victim");
        thread.start();
        thread.join();
        return;
      }
      case TIMER -> new Timer().schedule(task(strike), 0);
      case NETTY_TASK -> new DefaultEventLoop().execute(strike);
      case LOG_OF_A_LIBRARY -> {
        try {
          strike.run();
        } catch (OutOfMemoryError e) {
          LoggerFactory.getLogger("library").warn("Goes on", new IllegalStateException(e));
        }
      }
    }
    Thread.sleep(Long.MAX_VALUE);
  }

  private static TimerTask task(Runnable strike) {
    return new TimerTask() {
      @Override
      public void run() {
        strike.run();
      }
    };
  }

  private static void strike(String message) {
    if (message.equals(HARMLESS)) {
      throw new IllegalStateException(message);
    }
    throw new OutOfMemoryError(message);
  }
}
