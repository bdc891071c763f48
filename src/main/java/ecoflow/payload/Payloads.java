package ecoflow.payload;

import ecoflow.account.Account;
import ecoflow.decode.Decoded;
import ecoflow.decode.Decoded.Dropped;
import ecoflow.decode.Frames;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import ecoflow.text.MessageTrace;
import ecoflow.unknown.MessageRecording;
import ecoflow.unknown.UnknownMessages;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.spi.DataFormatFactory;
import org.apache.camel.spi.Registry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps between an MQTT payload and its quotas, bean {@code payloads}. */
public final class Payloads {

  private static final Logger LOG = LoggerFactory.getLogger(Payloads.class);

  /** A message with all values of the largest systems has about 100 kB. */
  private static final int MAX_BYTES = 4 << 20;

  private static final String KIND = "EcoflowPayload";
  private static final String TOPIC = "CamelMqttTopic";
  private static final String UNKNOWN = PayloadKind.UNKNOWN.name();

  private final Frames frames;
  private final Devices devices;
  private final UnknownMessages unknown;
  private final MessageRecording recording;
  private final Meters meters;
  private final Lines lines;

  /** For warnings that depend on the firmware and would repeat with each message. */
  private final Lines hourlyLines;

  private Payloads(
      Frames frames,
      Devices devices,
      UnknownMessages unknown,
      MessageRecording recording,
      Meters meters,
      LongSupplier nanoClock) {
    this.frames = frames;
    this.devices = devices;
    this.unknown = unknown;
    this.recording = recording;
    this.meters = meters;
    // At DEBUG the trace of each message contains the error.
    this.lines = new Lines(LOG, nanoClock, Lines.MINUTE, false);
    this.hourlyLines = new Lines(LOG, nanoClock, Duration.ofHours(1), false);
  }

  /**
   * Binds {@code payloads}, {@code pushPrefixes} and the protobuf data format.
   *
   * @return forgets a device that is no longer served
   */
  public static Consumer<String> bind(
      Registry registry,
      Optional<Path> messagesDir,
      Devices devices,
      UnknownMessages unknown,
      MessageRecording recording,
      Meters meters,
      LongSupplier nanoClock) {
    Frames frames = Frames.load(messagesDir, problem -> LOG.warn("{}", problem));
    // Camel finds the data format of "unmarshal: protobuf" by this name.
    registry.bind("protobuf-dataformat-factory", (DataFormatFactory) ProtobufBytes::new);
    PushPrefixes prefixes = new PushPrefixes(devices::account, meters::unknownPush);
    registry.bind("pushPrefixes", prefixes);
    registry.bind("payloads", new Payloads(frames, devices, unknown, recording, meters, nanoClock));
    return prefixes::remove;
  }

  /**
   * The kind of a payload, determined without decoding it. Only the newest payload of a kind is
   * needed.
   */
  public static String kind(byte[] payload) {
    return MessageKind.of(payload);
  }

  /**
   * The online state in a JSON message; empty if the message does not contain it.
   *
   * @param isStatus whether it is a message on the status topic
   */
  public static Optional<Boolean> onlineState(boolean isStatus, Map<?, ?> message) {
    JsonMessage json = isStatus ? JsonMessage.ofStatus(message) : JsonMessage.of(message);
    return Optional.ofNullable(json.online());
  }

  /**
   * Route step: counts a payload and sets the header EcoflowPayload to its kind: JSON, FRAME,
   * CUT_FRAME, BASE64 or UNKNOWN.
   *
   * @throws IllegalArgumentException if the payload is too large, or the time of receipt or the
   *     replay in the headers is not valid
   */
  public void identify(Exchange exchange) {
    byte[] payload = payload(exchange.getMessage());
    String topic = exchange.getMessage().getHeader(TOPIC, "", String.class);
    MessageTrace.begin(exchange, topic, payload.length);
    if (payload.length > MAX_BYTES) {
      throw new IllegalArgumentException(
          payload.length + " bytes, more than the limit of " + MAX_BYTES);
    }
    checkReceipt(exchange.getMessage());
    PayloadKind kind = PayloadKind.of(payload);
    exchange.getMessage().setHeader(KIND, kind.name());
    if (kind != PayloadKind.UNKNOWN && Quotas.isCounted(exchange.getMessage())) {
      meters.mqttMessage(account(exchange), kind == PayloadKind.JSON);
    }
    switch (kind) {
      case FRAME, CUT_FRAME -> traceKind(exchange, "frame");
      case BASE64 -> traceKind(exchange, "base64");
      default -> {
        // The following steps add the kind to the trace.
      }
    }
  }

  /** Otherwise, each message of a frame would be converted, and counted as an error. */
  private static void checkReceipt(Message message) {
    Long received = Quotas.received(message);
    if (received != null) {
      message.setHeader(Quotas.RECEIVED, received);
      message.setHeader(Quotas.REPLAY, Quotas.isTrue(message, Quotas.REPLAY));
    }
  }

  private Optional<Account> account(Exchange exchange) {
    return devices.account(exchange.getMessage().getHeader(Quotas.DEVICE, "", String.class));
  }

  private static byte[] payload(Message message) {
    byte[] payload = message.getBody(byte[].class);
    return payload == null ? new byte[0] : payload;
  }

  /**
   * Route step: replaces a JSON object with its quotas, or with an empty map if their type is
   * wrong.
   */
  public void readJsonQuotas(Exchange exchange) {
    Message message = exchange.getMessage();
    traceKind(exchange, "JSON");
    Map<?, ?> body = message.getBody(Map.class);
    JsonMessage json =
        Quotas.STATUS.equals(message.getHeader(Quotas.SOURCE))
            ? JsonMessage.ofStatus(body)
            : JsonMessage.of(body);
    message.setBody(json.quotas());
    message.setHeader(Quotas.FULL, json.full());
    message.setHeader(Quotas.ONLINE, json.online());
    if (json.error() != null) {
      drop(exchange, json.error());
    }
  }

  private static void traceKind(Exchange exchange, String kind) {
    MessageTrace trace = MessageTrace.of(exchange);
    if (trace != null) {
      trace.part(kind);
    }
  }

  /** For routes: decodes a frame from base64. */
  public byte[] fromBase64(byte[] payload) {
    return Frames.fromBase64(payload);
  }

  /** Route step: removes an incomplete last header from a frame, counts it and logs it. */
  public void dropCutHeader(Exchange exchange) {
    Message message = exchange.getMessage();
    byte[] frame = message.getBody(byte[].class);
    byte[] complete = Frames.withoutCutHeader(frame);
    if (complete.length < frame.length) {
      countLostHeader(
          exchange,
          "the last header of the frame is cut after "
              + (frame.length - complete.length)
              + " bytes");
    }
    message.setBody(complete);
  }

  /**
   * For routes: the headers of a frame as bytes, so that a malformed header does not affect the
   * others.
   */
  public List<byte[]> headers(Frame frame) {
    return frame.getHeadersList().stream().map(header -> header.toByteArray()).toList();
  }

  /**
   * Route step: decrypts the message of a header.
   *
   * @throws IllegalArgumentException if the header is not valid
   */
  public Header unmask(Header header) {
    return Frames.unmask(header);
  }

  /**
   * Route step: replaces a header with the quotas of its message, or with an empty map if the
   * message is unknown.
   */
  public void readMessage(Exchange exchange) {
    Message message = exchange.getMessage();
    Header header = message.getBody(Header.class);
    String serial = message.getHeader(Quotas.DEVICE, String.class);
    if (recording.isOn()) {
      recording.record(message, header, frames.layout(header, serial));
    }
    Decoded decoded = frames.read(header, serial);
    String outcome = decoded.outcome().name().toLowerCase(Locale.ROOT);
    boolean isCounted = Quotas.isCounted(message);
    if (isCounted) {
      meters.protobufMessage(decoded.cmdFunc(), decoded.cmdId(), outcome);
    }
    if (decoded.outcome() == Decoded.Outcome.BROKEN) {
      countError(exchange);
      lines.warn(
          serial + " " + command(decoded),
          "Message "
              + command(decoded)
              + " of device "
              + serial
              + " is malformed: only its complete fields are used; other messages are not"
              + " affected");
    }
    MessageTrace trace = MessageTrace.of(exchange);
    if (trace != null) {
      boolean unknown = decoded.outcome() == Decoded.Outcome.UNKNOWN;
      // Includes the bytes of unknown messages, so that users can add a decoder.
      String bytes = unknown ? " " + HexFormat.of().formatHex(header.getPdata().toByteArray()) : "";
      trace.part(command(decoded) + " " + outcome + bytes);
    }
    if (decoded.outcome() == Decoded.Outcome.UNKNOWN) {
      Long received = Quotas.received(message);
      Optional<Instant> at = Optional.ofNullable(received).map(Instant::ofEpochMilli);
      unknown.record(
          serial,
          message.getHeader(Quotas.SOURCE, "", String.class),
          header,
          at,
          Quotas.isTrue(message, Quotas.REPLAY));
    }
    for (Dropped dropped : decoded.dropped()) {
      reportDropped(dropped, decoded, serial, trace, isCounted);
    }
    message.setBody(decoded.values());
    if (!decoded.times().isEmpty()) {
      message.setHeader(Quotas.ITEM_TIMES, decoded.times());
    }
    message.setHeader(
        Quotas.FULL,
        decoded.outcome() == Decoded.Outcome.DECODED
            && Quotas.REPLY.equals(message.getHeader(Quotas.SOURCE)));
  }

  private static String command(Decoded decoded) {
    return decoded.cmdFunc() + "/" + decoded.cmdId();
  }

  private void countError(Exchange exchange) {
    if (Quotas.isCounted(exchange.getMessage())) {
      meters.messageError(account(exchange));
    }
  }

  /**
   * Reports a field or list item that cannot be decoded. An item without an index does not cause a
   * warning.
   */
  private void reportDropped(
      Dropped dropped, Decoded decoded, String serial, MessageTrace trace, boolean isCounted) {
    String reason = dropped.reason().name().toLowerCase(Locale.ROOT);
    if (isCounted) {
      meters.protobufFieldDropped(decoded.cmdFunc(), decoded.cmdId(), reason);
    }
    String problem =
        switch (dropped.reason()) {
          case TYPE -> "contains bytes instead of a number";
          case PLACE -> "has an item with an invalid index, or too many items";
          case NO_PLACE -> "has an item without an index";
        };
    if (dropped.reason() != Dropped.Reason.NO_PLACE) {
      hourlyLines.warn(
          serial + " " + command(decoded) + " " + reason,
          dropped.field()
              + " in message "
              + command(decoded)
              + " of device "
              + serial
              + " "
              + problem
              + ": the value is dropped; other values are not affected");
    }
    if (trace != null) {
      trace.remark(dropped.field() + " " + problem);
    }
  }

  /** Route step: counts and drops a malformed header. Other headers are not affected. */
  public void dropHeader(Exchange exchange) {
    countLostHeader(exchange, Lines.parserMessage(failure(exchange)));
  }

  private void countLostHeader(Exchange exchange, String reason) {
    countError(exchange);
    String serial = exchange.getMessage().getHeader(Quotas.DEVICE, String.class);
    lines.warn(
        serial + " header",
        "Dropped a message of device "
            + serial
            + ": "
            + reason
            + "; other messages are not"
            + " affected");
    MessageTrace trace = MessageTrace.of(exchange);
    if (trace != null) {
      trace.part("a malformed header (" + reason + ")");
    }
  }

  /** Route step: counts and drops a payload that cannot be read. */
  public void drop(Exchange exchange) {
    if (UNKNOWN.equals(exchange.getMessage().getHeader(KIND))) {
      traceKind(exchange, "unknown");
    }
    drop(exchange, Lines.parserMessage(failure(exchange)));
  }

  private void drop(Exchange exchange, String reason) {
    countError(exchange);
    Message message = exchange.getMessage();
    String device = message.getHeader(Quotas.DEVICE, "unknown", String.class);
    lines.warn(
        device,
        "Dropped a "
            + message.getHeader(Quotas.SOURCE, "message", String.class)
            + " of device "
            + device
            + ": "
            + reason
            + "; waiting for the next message");
    MessageTrace trace = MessageTrace.of(exchange);
    if (trace != null) {
      trace.remark("dropped: " + reason);
    }
  }

  private static Throwable failure(Exchange exchange) {
    return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
  }
}
