package ecoflow.unknown;

import ecoflow.account.Account;
import ecoflow.config.Settings.Mode;
import ecoflow.decode.Layout;
import ecoflow.decode.proto.Header;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The recording of all messages with ECOFLOW_RECORD=all, bean {@code messageRecording}. The number
 * of messages in a minute is limited.
 */
public final class MessageRecording {

  public static final String RECORDED = "recorded";
  public static final String LIMIT = "limit";
  public static final String FAILED = "failed";

  static final String FILE = "messages.jsonl";
  static final int FILES = 4;
  static final int MAX_PER_KIND = 30;
  static final int MAX_PER_MINUTE = 600;

  /** The largest messages are responses of EcoFlow's API with about 100 kB. */
  private static final int MAX_LINE = 512 << 10;

  /** The members of a push that identify the part of the device. */
  private static final List<String> PART_MEMBERS =
      List.of("typeCode", "moduleType", "addr", "cmdFunc", "cmdSet", "cmdId");

  private static final Logger LOG = LoggerFactory.getLogger(MessageRecording.class);

  private final Lines lines = new Lines(LOG, System::nanoTime);
  private final Devices devices;
  private final Clock clock;
  private final Consumer<String> count;
  private final Masks masks;
  private final Optional<Recording> file;

  /** The number of messages of each kind in the current minute. */
  private final Map<String, Integer> ofKind = new HashMap<>();

  private int ofMinute;
  private long minute;

  /**
   * @param directory of the recording; empty for no recording
   * @param count receives {@link #RECORDED}, {@link #LIMIT} or {@link #FAILED} for each message
   */
  public MessageRecording(
      Optional<Path> directory, Devices devices, Clock clock, Consumer<String> count) {
    this.devices = devices;
    this.clock = clock;
    this.count = count;
    this.masks = new Masks(devices, 0);
    this.file = directory.map(path -> Recording.rotating(path, FILE, FILES, LOG::warn));
  }

  /** Whether messages are recorded. */
  public boolean isOn() {
    return file.isPresent();
  }

  /**
   * Records a protobuf message.
   *
   * @param header the header with the decrypted message
   * @param layout the description of the message; empty for an unknown message
   */
  public void record(Message message, Header header, Optional<Layout> layout) {
    String kind = header.getCmdFunc() + "/" + header.getCmdId();
    record(message, kind, (entry, mask) -> entry.line(header, layout, mask));
  }

  /** Route step: records a JSON object, which does not change. */
  public void recordJson(Exchange exchange) {
    Message message = exchange.getMessage();
    if (message.getBody() instanceof Map<?, ?> object) {
      String kind =
          PART_MEMBERS.stream()
              .map(name -> String.valueOf(object.get(name)))
              .collect(Collectors.joining(" "));
      record(message, kind, (entry, mask) -> entry.line(object, mask));
    }
  }

  private interface Line {
    String of(Entry entry, Mask mask);
  }

  private synchronized void record(Message message, String kind, Line line) {
    // Messages that are read back were recorded before.
    if (file.isEmpty() || !Quotas.isCounted(message)) {
      return;
    }
    String result = FAILED;
    try {
      result = append(file.get(), message, kind, line);
    } catch (RuntimeException e) {
      // The values of the message are more important than its record. The message of the exception
      // can contain personal data.
      lines.warn("", "Failed to record a message: " + e.getClass().getSimpleName());
    }
    count.accept(result);
  }

  private String append(Recording to, Message message, String kind, Line line) {
    String serial = message.getHeader(Quotas.DEVICE, "", String.class);
    String source = message.getHeader(Quotas.SOURCE, "", String.class);
    if (to.hasEnded()) {
      return FAILED;
    }
    if (!isWithinLimits(serial + " " + source + " " + kind)) {
      return LIMIT;
    }
    String mode = devices.account(serial).map(Account::mode).map(Mode::label).orElse("");
    String product = devices.labels(serial).productName();
    Entry entry = new Entry(at(message), source, mode, masks.serial(serial), product);
    String text = line.of(entry, masks.of(serial));
    if (text.length() > MAX_LINE) {
      return LIMIT;
    }
    return to.append(text) ? RECORDED : FAILED;
  }

  private Instant at(Message message) {
    Long received = Quotas.received(message);
    return (received == null ? clock.instant() : Instant.ofEpochMilli(received))
        .truncatedTo(ChronoUnit.SECONDS);
  }

  private boolean isWithinLimits(String kind) {
    long now = clock.millis() / 60_000;
    if (now != minute) {
      minute = now;
      ofMinute = 0;
      ofKind.clear();
    }
    if (ofMinute >= MAX_PER_MINUTE || ofKind.getOrDefault(kind, 0) >= MAX_PER_KIND) {
      return false;
    }
    ofMinute++;
    ofKind.merge(kind, 1, Integer::sum);
    return true;
  }
}
