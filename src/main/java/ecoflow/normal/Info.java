package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;

import ecoflow.quota.DeviceValues;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Information series: versions of devices, names of circuits, and states with known words. They are
 * read from the stored values and texts on each request, and disappear with them.
 */
public final class Info {

  private static final double MAX_VERSION = 0xFFFF_FFFFL;
  private static final Pattern NOT_ZERO = Pattern.compile("[1-9]");

  private static final Table.Name CIRCUITS =
      new Table.Name(0, "circuit_info", false, "", "Name of a circuit, as set by the user");
  private static final Table.Name STATES =
      new Table.Name(1, "state", false, "", "1 for the current state, 0 for all others");

  /**
   * A row whose key has variable parts.
   *
   * @param start the start of the key, before its first variable part
   */
  private record KeyPattern(InfoRow row, String start, Pattern regex) {}

  /** The table, read when it is needed, not at start. */
  private static final class Rows {

    static final Map<String, List<InfoRow>> EXACT =
        rows().stream()
            .filter(row -> !row.row().isPattern())
            .collect(Collectors.groupingBy(row -> row.row().key()));

    static final List<KeyPattern> PATTERNS =
        rows().stream()
            .filter(row -> row.row().isPattern())
            .map(row -> new KeyPattern(row, row.row().fixedStart(), row.row().pattern()))
            .toList();

    static final Set<String> TEXTS =
        rows().stream()
            .filter(InfoRow::readsText)
            .map(InfoRow::shape)
            .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * The series of all devices.
   *
   * @param versions the encoded labels with the versions of a device, each preceded by a comma, by
   *     serial number
   * @param families the names of circuits and the states
   */
  public record Series(Map<String, String> versions, List<NormalFamily> families) {}

  private final Quotas quotas;
  private final Normalised normalised;

  public Info(Quotas quotas, Normalised normalised) {
    this.quotas = quotas;
    this.normalised = normalised;
  }

  static List<InfoRow> rows() {
    List<String> lines = Table.lines("info.csv").toList();
    return IntStream.range(0, lines.size())
        .mapToObj(i -> InfoRow.of(i, lines.get(i).split(",", 6)))
        .toList();
  }

  /**
   * Whether a text with this raw key can be part of a series. All others can be personal data, such
   * as the name of a Wi-Fi network or the serial number of another device.
   */
  public static boolean isText(String key) {
    return Rows.TEXTS.contains(InfoRow.shape(key));
  }

  /**
   * The current series.
   *
   * @param values the values of all devices, sorted by serial number
   */
  public Series series(List<DeviceValues> values) {
    Map<String, String> versions = new HashMap<>();
    NormalFamily circuits = NormalFamily.of(CIRCUITS);
    NormalFamily states = NormalFamily.of(STATES);
    for (DeviceValues device : values) {
      Texts texts = new Texts(device);
      for (Text text : texts.names.values()) {
        if (text.row().row().metric().equals(InfoRow.DEVICE)) {
          String label = label(text.labels().get(InfoRow.DEVICE), text.text());
          versions.merge(device.serial(), label, String::concat);
        } else {
          String labels = labels(text) + label("name", text.text());
          circuits.rows().add(device.serial(), labels.getBytes(UTF_8), 1);
        }
      }
      for (Text text : texts.states.values()) {
        for (String state : text.row().states().values()) {
          String labels = labels(text) + label("state", state);
          int value = state.equals(text.text()) ? 1 : 0;
          states.rows().add(device.serial(), labels.getBytes(UTF_8), value);
        }
      }
    }
    return new Series(
        versions, Stream.of(circuits, states).filter(family -> family.size() > 0).toList());
  }

  private static String labels(Text text) {
    return text.labels().entrySet().stream()
        .map(entry -> label(entry.getKey(), entry.getValue()))
        .collect(Collectors.joining());
  }

  private static String label(String name, String value) {
    return "," + Lines.label(name, value);
  }

  /**
   * A text of a device.
   *
   * @param text the version, the name, or the current state
   */
  private record Text(InfoRow row, Map<String, String> labels, String text) {}

  /** The texts of a device. */
  private final class Texts {

    /** The versions and the names of circuits by labels. */
    final Map<String, Text> names = new TreeMap<>();

    /** By labels. */
    final Map<String, Text> states = new TreeMap<>();

    private final DeviceValues device;
    private final String family;

    Texts(DeviceValues device) {
      this.device = device;
      this.family = normalised.family(device.serial());
      for (int i = 0; i < device.keys().length; i++) {
        read(device.keys()[i], i, null);
      }
      quotas.textsOf(device.serial()).forEach((key, text) -> read(key, -1, text));
    }

    /**
     * @param position of the number among the values of the device; -1 for a text
     * @param text null for a number
     */
    private void read(String key, int position, String text) {
      for (InfoRow row : Rows.EXACT.getOrDefault(key, List.of())) {
        add(row, new Row.Parts(List.of(), null), position, text);
      }
      for (KeyPattern pattern : Rows.PATTERNS) {
        if (key.startsWith(pattern.start())) {
          Matcher match = pattern.regex().matcher(key);
          if (match.matches()) {
            add(pattern.row(), pattern.row().row().parts(match), position, text);
          }
        }
      }
    }

    private void add(InfoRow row, Row.Parts parts, int position, String text) {
      double number = position < 0 ? Double.NaN : device.values()[position];
      String shown =
          !row.isOf(family)
              ? null
              : switch (row.format()) {
                case TEXT -> text;
                case BYTES -> text == null ? bytes(position) : null;
                case VERSION -> version(number);
                case STATES -> text == null ? row.states().get(number) : row.names().get(text);
              };
      boolean isVersion = row.row().metric().equals(InfoRow.DEVICE);
      if (shown == null || shown.isEmpty() || (isVersion && !NOT_ZERO.matcher(shown).find())) {
        return;
      }
      int rank = parts.serial() == null ? 1 : rank(row.row().start(), parts.serial());
      Map<String, String> labels = row.row().labels(parts, rank);
      Map<String, Text> texts = row.row().metric().equals(InfoRow.STATE) ? states : names;
      Text before = texts.get(labels.toString());
      if (before == null ? texts.size() < Quotas.MAX_TEXTS : row.index() < before.row().index()) {
        texts.put(labels.toString(), new Text(row, labels, shown));
      }
    }

    /** The rank among all serial numbers in keys with this start, also those without a state. */
    private int rank(String start, String serial) {
      return (int)
          Arrays.stream(device.keys())
              .filter(key -> key.startsWith(start))
              .map(key -> key.substring(start.length()).split("[\"\\].]", 2)[0])
              .filter(other -> other.compareTo(serial) <= 0)
              .distinct()
              .count();
    }

    /** 0 and the highest number mean unknown. */
    private static String version(double number) {
      if (!(number > 0 && number < MAX_VERSION) || number != Math.rint(number)) {
        return null;
      }
      long version = (long) number;
      return (version >> 24)
          + "."
          + (version >> 16 & 0xFF)
          + "."
          + (version >> 8 & 0xFF)
          + "."
          + (version & 0xFF);
    }

    /** The values of a device are in the order of their indexes, so the bytes are adjacent. */
    private String bytes(int first) {
      String list = InfoRow.listOf(device.keys()[first]);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (int i = first; i < device.keys().length && bytes.size() < Quotas.MAX_TEXT_LENGTH; i++) {
        boolean isNext = device.keys()[i].equals(list + "[" + bytes.size() + "]");
        if (!isNext || device.values()[i] == 0) {
          break;
        }
        bytes.write((int) device.values()[i]);
      }
      return Lines.name(bytes.toString(UTF_8), Quotas.MAX_TEXT_LENGTH).strip();
    }
  }
}
