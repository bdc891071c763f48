package ecoflow.unknown;

import ecoflow.decode.proto.Header;
import ecoflow.device.Devices;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Statistics of messages that are not in the message tables, bean {@code unknownMessages}. */
public final class UnknownMessages {

  private static final Logger LOG = LoggerFactory.getLogger(UnknownMessages.class);

  /** Limits the memory if a faulty broker sends many different commands; no device has as many. */
  private static final int MAX_KINDS = 500;

  private final Devices devices;
  private final Clock clock;
  private final Optional<Recording> recording;
  private final Masks masks;
  private final Map<Kind, Statistics> seen = new TreeMap<>();
  private final UnknownSamples recorded = new UnknownSamples();
  private final UnknownSamples samples = new UnknownSamples();

  /** Null without a listener. */
  private Consumer<String> listener;

  /**
   * A kind of message.
   *
   * @param model the start of the serial number
   */
  private record Kind(String model, int cmdFunc, int cmdId) implements Comparable<Kind> {

    @Override
    public int compareTo(Kind other) {
      int byModel = model.compareTo(other.model);
      int byFunc = Integer.compare(cmdFunc, other.cmdFunc);
      return byModel != 0 ? byModel : byFunc != 0 ? byFunc : Integer.compare(cmdId, other.cmdId);
    }

    String command() {
      return cmdFunc + "/" + cmdId;
    }
  }

  private static final class Statistics {

    private final Set<String> products = new HashSet<>();
    private long count;
    private int shortest = Integer.MAX_VALUE;
    private int longest;
    private Instant first;
    private Instant last;
  }

  /**
   * @param recordDir the directory of the recording; empty for no recording
   */
  public UnknownMessages(Optional<Path> recordDir, Devices devices, Clock clock) {
    this.devices = devices;
    this.clock = clock;
    this.recording = recordDir.map(directory -> Recording.ofUnknown(directory, LOG::warn));
    this.masks = new Masks(devices, recording.map(Recording::lastNumber).orElse(0));
  }

  /**
   * Counts and records a message.
   *
   * @param source the source of the message, such as push or reply
   * @param header the header with the unencrypted message
   * @param received the time of receipt; empty for now
   * @param isReplay whether the message was processed before and is read back
   */
  public synchronized void record(
      String serial, String source, Header header, Optional<Instant> received, boolean isReplay) {
    String model = serial.substring(0, Math.min(Pseudonyms.MODEL_CHARS, serial.length()));
    Kind kind = new Kind(model, header.getCmdFunc(), header.getCmdId());
    int length = header.getPdata().size();
    if (!seen.containsKey(kind) && seen.size() >= MAX_KINDS) {
      return;
    }
    Instant at = received.orElseGet(clock::instant).truncatedTo(ChronoUnit.SECONDS);
    Statistics stats = seen.computeIfAbsent(kind, unused -> new Statistics());
    stats.first = stats.first == null || at.isBefore(stats.first) ? at : stats.first;
    stats.last = stats.last == null || at.isAfter(stats.last) ? at : stats.last;
    stats.count++;
    stats.shortest = Math.min(stats.shortest, length);
    stats.longest = Math.max(stats.longest, length);
    String product = devices.labels(serial).productName();
    stats.products.add(product);
    boolean isRecorded =
        recording.isPresent() && !recording.get().hasEnded() && recorded.isNew(serial, header);
    boolean isSample = listener != null && !isReplay && samples.isNew(serial, header);
    if (isRecorded || isSample) {
      Entry entry = new Entry(at, source, "", masks.serial(serial), product);
      String line = entry.line(header, Optional.empty(), masks.of(serial));
      if (isRecorded) {
        recording.get().append(line);
      }
      if (isSample) {
        listener.accept(line);
      }
    }
  }

  /**
   * @param newListener receives some messages of each kind as masked lines of JSON, in the format
   *     of the recording; must not block
   */
  public synchronized void onSample(Consumer<String> newListener) {
    listener = newListener;
  }

  /** For routes: the statistics, one line per kind of message. */
  public synchronized String list() {
    List<String> lines =
        seen.entrySet().stream().map(entry -> line(entry.getKey(), entry.getValue())).toList();
    return lines.isEmpty() ? "no unknown messages" : String.join("\n", lines);
  }

  private static String line(Kind kind, Statistics stats) {
    String lengths =
        stats.shortest == stats.longest
            ? "" + stats.longest
            : stats.shortest + " to " + stats.longest;
    return "%s of %s (%s): %d messages of %s bytes, first %s, last %s"
        .formatted(
            kind.command(),
            kind.model(),
            stats.products.stream().sorted().collect(Collectors.joining(", ")),
            stats.count,
            lengths,
            stats.first,
            stats.last);
  }
}
