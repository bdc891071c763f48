package ecoflow.story;

import ecoflow.text.Lines;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.spi.Synchronization;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What became of one MQTT message: the steps of its way add to it, and one line at DEBUG tells it
 * when the exchange is done, however that ended. Without DEBUG there are no stories.
 */
public final class MessageStory implements Synchronization {

  private static final Logger LOG = LoggerFactory.getLogger(MessageStory.class);
  private static final String PROPERTY = "EcoflowStory";

  private final String topic;
  private final int bytes;
  private final List<String> parts = new ArrayList<>();
  private final Set<String> remarks = new LinkedHashSet<>();
  private final Map<String, Integer> conflicts = new LinkedHashMap<>();
  private final Map<String, String> firstNames = new HashMap<>();
  private int taken;

  private MessageStory(String topic, int bytes) {
    this.topic = topic;
    this.bytes = bytes;
  }

  /** Begins the story of the exchange if DEBUG is on. */
  public static void begin(Exchange exchange, String topic, int bytes) {
    if (LOG.isDebugEnabled()) {
      MessageStory story = new MessageStory(topic, bytes);
      exchange.setProperty(PROPERTY, story);
      exchange.getExchangeExtension().addOnCompletion(story);
    }
  }

  /** The story that the exchange is part of; null if there is none. */
  public static MessageStory of(Exchange exchange) {
    return LOG.isDebugEnabled() ? exchange.getProperty(PROPERTY, MessageStory.class) : null;
  }

  /** Adds what the payload, or one part of it, is. */
  public synchronized void part(String words) {
    parts.add(words);
  }

  /** Adds what was done with the message; the same words of several parts are told once. */
  public synchronized void remark(String words) {
    remarks.add(words);
  }

  /** Adds to the number of values that were taken. */
  public synchronized void taken(int values) {
    taken += values;
  }

  /** Adds a value that could not be shown beside another. */
  public synchronized void conflict(String kind, String name) {
    conflicts.merge(kind, 1, Integer::sum);
    firstNames.putIfAbsent(kind, name);
  }

  @Override
  public void onComplete(Exchange exchange) {
    LOG.debug("{}", this);
  }

  @Override
  public void onFailure(Exchange exchange) {
    LOG.debug("{}", this);
  }

  @Override
  public synchronized String toString() {
    StringBuilder line =
        new StringBuilder(Lines.withoutUser(topic)).append(": ").append(bytes).append(" bytes");
    parts.forEach(part -> line.append(", ").append(part));
    remarks.forEach(remark -> line.append(", ").append(remark));
    line.append(", values taken: ").append(taken);
    conflicts.forEach(
        (kind, count) ->
            line.append(", ")
                .append(kind)
                .append(" conflicts: ")
                .append(count)
                .append(" (first ")
                .append(firstNames.get(kind))
                .append(')'));
    return line.toString();
  }
}
