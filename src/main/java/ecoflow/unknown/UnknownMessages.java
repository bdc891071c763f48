package ecoflow.unknown;

import ecoflow.decode.proto.Header;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Messages that no message list describes, bean {@code unknownMessages}. */
public final class UnknownMessages {

  private static final Logger LOG = LoggerFactory.getLogger(UnknownMessages.class);

  /** More kinds than any device has: invented commands must not fill the memory. */
  private static final int MAX_KINDS = 500;

  private static final int MAX_SERIALS = 200;

  private final Devices devices;
  private final Clock clock;
  private final Optional<Recording> recording;
  private final Map<Kind, Seen> seen = new TreeMap<>();

  /** A kind of message: the model, as the start of the serial number, and the command. */
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

  private static final class Seen {

    private final Set<String> products = new HashSet<>();
    private long count;
    private int shortest = Integer.MAX_VALUE;
    private int longest;
    private Instant first;
    private Instant last;
  }

  /**
   * @param recordDir directory of the recording; empty for no recording
   */
  public UnknownMessages(Optional<Path> recordDir, Devices devices, Clock clock) {
    this.devices = devices;
    this.clock = clock;
    this.recording = recordDir.map(folder -> new Recording(folder, line -> LOG.warn("{}", line)));
  }

  /**
   * Counts and records a message.
   *
   * @param source such as push or reply
   * @param header with the message in plain bytes
   */
  public synchronized void note(String serial, String source, Header header) {
    String model = serial.substring(0, Math.min(Mask.MODEL, serial.length()));
    Kind kind = new Kind(model, header.getCmdFunc(), header.getCmdId());
    int length = header.getPdata().size();
    if (!seen.containsKey(kind) && seen.size() >= MAX_KINDS) {
      return;
    }
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Seen of = seen.computeIfAbsent(kind, unused -> new Seen());
    of.first = of.first == null ? now : of.first;
    of.last = now;
    of.count++;
    of.shortest = Math.min(of.shortest, length);
    of.longest = Math.max(of.longest, length);
    String product = devices.labels(serial).productName();
    of.products.add(product);
    recording.ifPresent(
        file ->
            file.take(
                new Recording.Entry(
                    now.toString(), source, Mask.serial(serial), product, kind.command(), length),
                header,
                () -> new Mask(words(serial), serials(serial))));
  }

  /** Texts that must not be recorded, although they look like ordinary words. */
  private Collection<String> words(String serial) {
    return Stream.concat(
            devices.all().stream().map(DeviceView::labels).map(labels -> labels.deviceName()),
            Stream.of(devices.labels(serial).deviceName()))
        .filter(name -> name.length() > 2)
        .collect(Collectors.toSet());
  }

  /**
   * Serial numbers whose parts are also masked; limited, because of the cost for very many devices.
   */
  private List<String> serials(String serial) {
    return Stream.concat(Stream.of(serial), devices.serials().stream().limit(MAX_SERIALS))
        .distinct()
        .toList();
  }

  /** For routes: one line per kind of message. */
  public synchronized String list() {
    List<String> lines =
        seen.entrySet().stream().map(entry -> line(entry.getKey(), entry.getValue())).toList();
    return lines.isEmpty() ? "no unknown messages" : String.join("\n", lines);
  }

  private static String line(Kind kind, Seen of) {
    String lengths =
        of.shortest == of.longest ? "" + of.longest : of.shortest + " to " + of.longest;
    return "%s of %s (%s): %d messages of %s bytes, first %s, last %s"
        .formatted(
            kind.command(),
            kind.model(),
            of.products.stream().sorted().collect(Collectors.joining(", ")),
            of.count,
            lengths,
            of.first,
            of.last);
  }
}
