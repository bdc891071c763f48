package ecoflow.decode;

import com.google.protobuf.ByteString;
import ecoflow.decode.proto.Header;
import ecoflow.metrics.CalmLog;
import ecoflow.metrics.SelfMetrics;
import ecoflow.quota.MessageStory;
import ecoflow.quota.QuotaHeaders;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps between an MQTT message and its quotas; each method is one step of a route. */
public final class Payloads {

  private static final Logger LOG = LoggerFactory.getLogger(Payloads.class);

  /** Full pictures of the largest systems have about 100 kB. */
  public static final int LARGEST_PAYLOAD = 4 << 20;

  private static final String TOPIC = "CamelMqttTopic";
  private static final String STATUS = "status";

  private final MessageDecoder decoder;
  private final SelfMetrics metrics;
  private final CalmLog calmLog;

  /** For what the firmware of a device does with every message. */
  private final CalmLog hourlyLog;

  public Payloads(MessageDecoder decoder, SelfMetrics metrics, LongSupplier nanoClock) {
    this.decoder = decoder;
    this.metrics = metrics;
    // At DEBUG the story of each message tells what went wrong with it.
    this.calmLog = new CalmLog(LOG, nanoClock, CalmLog.MINUTE, false);
    this.hourlyLog = new CalmLog(LOG, nanoClock, Duration.ofHours(1), false);
  }

  /**
   * Names the device of the topic: /app/device/property/{sn} for pushes, and
   * /app/{userId}/{sn}/thing/property/get_reply for answers, /app/device/status/{sn} for the
   * status.
   *
   * @throws IllegalArgumentException for a payload that is too large to be taken apart
   */
  public void identify(Exchange exchange) {
    Message message = exchange.getMessage();
    String topic = message.getHeader(TOPIC, "", String.class);
    String[] parts = topic.split("/");
    boolean reply = topic.endsWith("/get_reply");
    int position = reply ? 3 : parts.length - 1;
    message.setHeader(QuotaHeaders.DEVICE, position < parts.length ? parts[position] : "");
    message.setHeader(QuotaHeaders.SOURCE, source(topic, reply));
    byte[] body = message.getBody(byte[].class);
    byte[] payload = body == null ? new byte[0] : body;
    MessageStory.begin(exchange, topic, payload.length);
    if (payload.length > LARGEST_PAYLOAD) {
      throw new IllegalArgumentException(
          payload.length + " bytes are more than the " + LARGEST_PAYLOAD + " that are read");
    }
    PayloadKind kind = PayloadKind.of(payload);
    message.setHeader(QuotaHeaders.PAYLOAD, kind.name());
    MessageStory story = MessageStory.of(exchange);
    if (story != null) {
      story.part(kind == PayloadKind.JSON ? "JSON" : kind.name().toLowerCase(Locale.ROOT));
    }
    if (kind == PayloadKind.FRAME) {
      takeWholeHeaders(exchange, payload);
    }
  }

  /**
   * A last header that is cut is counted and left out, so that it does not lose those before it.
   */
  private void takeWholeHeaders(Exchange exchange, byte[] frame) {
    byte[] whole = Frames.whole(frame);
    exchange.getMessage().setBody(whole);
    if (whole.length < frame.length) {
      loseHeader(
          exchange,
          "a frame ends with " + (frame.length - whole.length) + " bytes of a cut header");
    }
  }

  private void loseHeader(Exchange exchange, String reason) {
    metrics.messageError();
    String serial = exchange.getMessage().getHeader(QuotaHeaders.DEVICE, String.class);
    calmLog.warn(
        serial + " header",
        "Dropped a message of device " + serial + ": " + reason + "; its neighbours are kept");
    MessageStory story = MessageStory.of(exchange);
    if (story != null) {
      story.part("a broken header (" + reason + ")");
    }
  }

  private static String source(String topic, boolean reply) {
    if (reply) {
      return "reply";
    }
    return topic.startsWith("/app/device/status/") ? STATUS : "push";
  }

  /** A JSON object becomes its quotas; of one that holds them in a wrong type there are none. */
  public void takeJsonQuotas(Exchange exchange) {
    Message message = exchange.getMessage();
    Map<?, ?> body = message.getBody(Map.class);
    JsonMessage json =
        STATUS.equals(message.getHeader(QuotaHeaders.SOURCE))
            ? JsonMessage.ofStatus(body)
            : JsonMessage.of(body);
    message.setBody(json.quotas());
    message.setHeader(QuotaHeaders.FULL, json.full());
    message.setHeader(QuotaHeaders.ONLINE, json.online());
    if (json.fault() != null) {
      dropped(exchange, json.fault());
    }
  }

  /**
   * One header of a frame, as bytes, becomes the quotas of its message; of unknown messages and
   * headers that cannot be read there are none.
   */
  public void decodeHeader(Exchange exchange) {
    Message message = exchange.getMessage();
    MessageStory story = MessageStory.of(exchange);
    String serial = message.getHeader(QuotaHeaders.DEVICE, String.class);
    Header header;
    try {
      header = Frames.header(message.getBody(ByteString.class));
    } catch (IllegalArgumentException e) {
      loseHeader(exchange, reason(e));
      message.setBody(Map.of());
      message.setHeader(QuotaHeaders.FULL, false);
      return;
    }
    Decoded decoded = decoder.decode(header, serial);
    String outcome = decoded.outcome().name().toLowerCase(Locale.ROOT);
    metrics.protobufMessage(decoded.cmdFunc(), decoded.cmdId(), outcome);
    if (decoded.outcome() == Decoded.Outcome.BROKEN) {
      metrics.messageError();
      calmLog.warn(
          serial + " " + decoded.cmdFunc() + "/" + decoded.cmdId(),
          "Message "
              + decoded.cmdFunc()
              + "/"
              + decoded.cmdId()
              + " of device "
              + serial
              + " is broken: its whole fields and its neighbours are kept");
    }
    if (story != null) {
      String words = decoded.cmdFunc() + "/" + decoded.cmdId() + " " + outcome;
      boolean unknown = decoded.outcome() == Decoded.Outcome.UNKNOWN;
      // Unknown messages as they came, for whoever wants to describe them.
      story.part(unknown ? words + " " + HexFormat.of().formatHex(Frames.plain(header)) : words);
    }
    decoded.dropped().forEach(dropped -> drop(dropped, decoded, serial, story));
    message.setBody(decoded.values());
    message.setHeader(
        QuotaHeaders.FULL,
        decoded.outcome() == Decoded.Outcome.DECODED
            && "reply".equals(message.getHeader(QuotaHeaders.SOURCE)));
  }

  /** What a message holds but nobody can read is counted; an item without its place is no news. */
  private void drop(Decoded.Dropped dropped, Decoded decoded, String serial, MessageStory story) {
    String reason = dropped.reason().name().toLowerCase(Locale.ROOT);
    metrics.protobufFieldDropped(decoded.cmdFunc(), decoded.cmdId(), reason);
    String command = decoded.cmdFunc() + "/" + decoded.cmdId();
    String what =
        switch (dropped.reason()) {
          case TYPE -> "came as bytes in place of a number";
          case PLACE -> "has an item whose place cannot be, or too many places";
          case NO_PLACE -> "has an item that does not name its place";
        };
    String line =
        dropped.field()
            + " in message "
            + command
            + " of device "
            + serial
            + " "
            + what
            + ": left out, the other values are kept";
    if (dropped.reason() != Decoded.Dropped.Reason.NO_PLACE) {
      hourlyLog.warn(serial + " " + command + " " + reason, line);
    }
    if (story != null) {
      story.remark(dropped.field() + " " + what);
    }
  }

  /** Base64 text becomes the frame that it holds. */
  public void decodeBase64(Exchange exchange) {
    takeWholeHeaders(exchange, Frames.fromBase64(exchange.getMessage().getBody(byte[].class)));
  }

  /** A message that cannot be read is counted and dropped; the device's other messages go on. */
  public void drop(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    dropped(
        exchange, failure == null ? "it is neither a JSON object nor a frame" : reason(failure));
  }

  private void dropped(Exchange exchange, String reason) {
    metrics.messageError();
    Message message = exchange.getMessage();
    String device = message.getHeader(QuotaHeaders.DEVICE, "unknown", String.class);
    calmLog.warn(
        device,
        "Dropped a "
            + message.getHeader(QuotaHeaders.SOURCE, "message", String.class)
            + " of device "
            + device
            + ": "
            + reason
            + "; the next message is awaited");
    MessageStory story = MessageStory.of(exchange);
    if (story != null) {
      story.remark("dropped: " + reason);
    }
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
