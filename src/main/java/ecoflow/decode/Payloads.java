package ecoflow.decode;

import com.google.protobuf.ByteString;
import ecoflow.decode.proto.Header;
import ecoflow.metrics.SelfMetrics;
import ecoflow.quota.QuotaHeaders;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps between an MQTT message and its quotas; each method is one step of a route. */
public final class Payloads {

  private static final Logger LOG = LoggerFactory.getLogger(Payloads.class);
  private static final String TOPIC = "CamelMqttTopic";

  private final MessageDecoder decoder;
  private final SelfMetrics metrics;

  public Payloads(MessageDecoder decoder, SelfMetrics metrics) {
    this.decoder = decoder;
    this.metrics = metrics;
  }

  /**
   * Names the device of the topic: /app/device/property/{sn} for pushes, and
   * /app/{userId}/{sn}/thing/property/get_reply for answers.
   */
  public void identify(Exchange exchange) {
    Message message = exchange.getMessage();
    String topic = message.getHeader(TOPIC, "", String.class);
    String[] parts = topic.split("/");
    boolean reply = topic.endsWith("/get_reply");
    int position = reply ? 3 : parts.length - 1;
    message.setHeader(QuotaHeaders.DEVICE, position < parts.length ? parts[position] : "");
    message.setHeader(QuotaHeaders.SOURCE, reply ? "reply" : "push");
    byte[] payload = message.getBody(byte[].class);
    message.setHeader(
        QuotaHeaders.PAYLOAD, PayloadKind.of(payload == null ? new byte[0] : payload).name());
  }

  /** A JSON object becomes its quotas. */
  public void takeJsonQuotas(Exchange exchange) {
    Message message = exchange.getMessage();
    JsonMessage json = JsonMessage.of(message.getBody(Map.class));
    message.setBody(json.quotas());
    message.setHeader(QuotaHeaders.FULL, json.full());
    message.setHeader(QuotaHeaders.ONLINE, json.online());
  }

  /**
   * One header of a frame, as bytes, becomes the quotas of its message; of unknown messages and
   * headers that cannot be read there are none.
   */
  public void decodeHeader(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(QuotaHeaders.DEVICE, String.class);
    Header header;
    try {
      header = Frames.header(message.getBody(ByteString.class));
    } catch (IllegalArgumentException e) {
      metrics.messageError();
      LOG.warn("Dropped a message of device {}: {}; its neighbours are kept", serial, reason(e));
      message.setBody(Map.of());
      message.setHeader(QuotaHeaders.FULL, false);
      return;
    }
    Decoded decoded = decoder.decode(header, serial);
    metrics.protobufMessage(
        decoded.cmdFunc(), decoded.cmdId(), decoded.outcome().name().toLowerCase(Locale.ROOT));
    switch (decoded.outcome()) {
      case BROKEN -> {
        metrics.messageError();
        LOG.warn(
            "Dropped message {}/{} of device {}: its protobuf is broken; its neighbours are kept",
            decoded.cmdFunc(),
            decoded.cmdId(),
            serial);
      }
      case UNKNOWN -> {
        if (LOG.isDebugEnabled()) {
          LOG.debug(
              "Unknown message {}/{} of device {}: {}",
              decoded.cmdFunc(),
              decoded.cmdId(),
              serial,
              HexFormat.of().formatHex(header.getPdata().toByteArray()));
        }
      }
      case EMPTY, DECODED -> {
        // counted above
      }
    }
    message.setBody(decoded.values());
    message.setHeader(
        QuotaHeaders.FULL,
        decoded.outcome() == Decoded.Outcome.DECODED
            && "reply".equals(message.getHeader(QuotaHeaders.SOURCE)));
  }

  /** Base64 text becomes the frame that it holds. */
  public void decodeBase64(Exchange exchange) {
    Message message = exchange.getMessage();
    message.setBody(Frames.fromBase64(message.getBody(byte[].class)));
  }

  /** A message that cannot be read is counted and dropped; the device's other messages go on. */
  public void drop(Exchange exchange) {
    metrics.messageError();
    Message message = exchange.getMessage();
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    LOG.warn(
        "Dropped a {} of device {}: {}; the next message is awaited",
        message.getHeader(QuotaHeaders.SOURCE, "message", String.class),
        message.getHeader(QuotaHeaders.DEVICE, "unknown", String.class),
        failure == null ? "it is neither JSON nor a frame" : reason(failure));
  }

  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    String words =
        cause instanceof com.fasterxml.jackson.core.JacksonException json
            ? json.getOriginalMessage()
            : String.valueOf(cause.getMessage());
    String line = words.replaceAll("\\p{Cntrl}+", " ");
    return line.length() <= 120 ? line : line.substring(0, 120) + "...";
  }
}
