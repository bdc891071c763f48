package ecoflow.fleet;

import ecoflow.unknown.UnknownMessages;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import org.apache.camel.Exchange;

/**
 * The unknown messages that a server sends to Kafka, bean {@code unknownRecords}: masked, and a
 * limited number of each kind.
 */
final class UnknownRecords {

  private static final int MAX_WAITING = 1_000;

  private final Queue<String> waiting = new ArrayBlockingQueue<>(MAX_WAITING);

  UnknownRecords(UnknownMessages unknown) {
    // Further samples of the kind follow if the queue is full.
    unknown.onSample(waiting::offer);
  }

  /** Route step: replaces the body with the messages since the last call. */
  public void takeAll(Exchange exchange) {
    List<String> taken = new ArrayList<>();
    for (String line = waiting.poll(); line != null; line = waiting.poll()) {
      taken.add(line);
    }
    exchange.getMessage().setBody(taken);
  }
}
