package ecoflow.text;

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
 * The trace of one MQTT message: the steps that process it add entries, which are logged in one
 * DEBUG line when the exchange is complete, also after a failure. Traces exist only at DEBUG.
 */
public final class MessageTrace implements Synchronization {

  private static final Logger LOG = LoggerFactory.getLogger(MessageTrace.class);
  private static final String PROPERTY = "EcoflowTrace";

  private final String topic;
  private final int bytes;
  private final List<String> parts = new ArrayList<>();
  private final Set<String> remarks = new LinkedHashSet<>();
  private final Map<String, Integer> conflicts = new LinkedHashMap<>();
  private final Map<String, String> firstNames = new HashMap<>();
  private int accepted;

  private MessageTrace(String topic, int bytes) {
    this.topic = topic;
    this.bytes = bytes;
  }

  /** Starts the trace of the exchange if DEBUG is enabled. */
  public static void begin(Exchange exchange, String topic, int bytes) {
    if (LOG.isDebugEnabled()) {
      MessageTrace trace = new MessageTrace(topic, bytes);
      exchange.setProperty(PROPERTY, trace);
      exchange.getExchangeExtension().addOnCompletion(trace);
    }
  }

  /** The trace of the exchange; null without one. */
  public static MessageTrace of(Exchange exchange) {
    return LOG.isDebugEnabled() ? exchange.getProperty(PROPERTY, MessageTrace.class) : null;
  }

  /** Adds the kind of the payload or of a part of it. */
  public synchronized void part(String text) {
    parts.add(text);
  }

  /** Adds a remark about the message. Equal remarks of several parts appear once. */
  public synchronized void remark(String text) {
    remarks.add(text);
  }

  /** Adds to the number of accepted values. */
  public synchronized void accepted(int values) {
    accepted += values;
  }

  /** Counts a value that conflicts with another series. */
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
        new StringBuilder(Lines.name(Lines.withoutUser(topic)))
            .append(": ")
            .append(bytes)
            .append(" bytes");
    parts.forEach(part -> line.append(", ").append(part));
    remarks.forEach(remark -> line.append(", ").append(remark));
    line.append(", values accepted: ").append(accepted);
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
