package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.decode.Decoded;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.Frames;
import ecoflow.values.QuotaMaps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A line of src/test/resources/models/evidence.csv: a source from which the meaning of the values
 * of a model is known.
 *
 * @param models prefixes of serial numbers in upper case; if the prefix of the device is not known,
 *     model families in lower case
 * @param file the recording in src/test/resources; empty if the tests do not contain it
 * @param source the project that published it, and its file or the statement there
 */
record Evidence(List<String> models, Channel channel, Kind kind, String file, String source) {

  /** The modes with the same raw keys, with their names in the document. */
  enum Channel {
    /** Models with JSON in the app, whose keys are those of quota/all. */
    ALL("REST, Open and app"),
    REST("REST and Open"),
    APP("app");

    private final String title;

    Channel(String title) {
      this.title = title;
    }

    String title() {
      return title;
    }

    boolean contains(Row row) {
      return switch (this) {
        case ALL -> row.channel().equals("*");
        case REST -> row.channel().equals("rest");
        case APP -> row.channel().equals("json") || row.channel().equals("protobuf");
      };
    }
  }

  /** From the strongest to the weakest; the document defines them. */
  enum Kind {
    FRAME,
    MAP,
    VALUES,
    PUSH,
    CAPTURE,
    SCHEMA,
    REPORT;

    boolean hasFile() {
      return compareTo(PUSH) <= 0;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The directory of the messages 254/39 of STREAM 5000, whose index names the models. */
  static final String STREAM_5000_FRAMES = "es2x";

  static final String PUSHES = "open-pushes.json";

  private static final Path RESOURCES = Path.of("src/test/resources");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Table TABLE = PackagedTable.load();

  private static final Map<String, Set<String>> NAMES = new HashMap<>();

  static final List<Evidence> ALL = read();

  private static List<Evidence> read() {
    try {
      List<String> lines = Files.readAllLines(RESOURCES.resolve("models/evidence.csv"));
      assertEquals("models,channel,evidence,file,source", lines.get(0));
      return lines.stream().skip(1).map(Evidence::of).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Evidence of(String line) {
    String[] cells = line.split(",", 5);
    return new Evidence(
        List.of(cells[0].split(" ")),
        Channel.valueOf(cells[1].toUpperCase(Locale.ROOT)),
        Kind.valueOf(cells[2].toUpperCase(Locale.ROOT)),
        cells[3],
        cells[4]);
  }

  /** Whether the device of the source has this prefix. */
  boolean isOf(String prefix) {
    return models.contains(prefix);
  }

  /** Whether the source is known to be of the model family, but not of which prefix. */
  boolean isOfFamily(String family) {
    return models.contains(family);
  }

  /** The start of the serial numbers with which the tests use the recording. */
  Set<String> serials() {
    return switch (kind) {
      case FRAME ->
          Set.of(file.equals(STREAM_5000_FRAMES) ? models.get(0) : TestFrames.SERIALS.get(file));
      case MAP, VALUES -> Set.of(QuotaMaps.SERIALS.get(file));
      case PUSH -> {
        Set<String> serials = new TreeSet<>();
        pushes().forEach(push -> serials.add(push.path("serial").asText()));
        yield serials;
      }
      case CAPTURE, SCHEMA, REPORT -> Set.of();
    };
  }

  /** The families of the models. */
  List<String> families() {
    return models.stream()
        .map(model -> Character.isUpperCase(model.charAt(0)) ? family(model) : model)
        .toList();
  }

  private static String family(String serial) {
    return TABLE.family(serial, "").orElseThrow(() -> new AssertionError(serial)).name();
  }

  /** The commands in a recorded frame, such as 254/21; empty for other evidence. */
  Set<String> commands() {
    Set<String> commands = new TreeSet<>();
    if (kind == Kind.FRAME) {
      decoded()
          .flatMap(List::stream)
          .forEach(decoded -> commands.add(decoded.cmdFunc() + "/" + decoded.cmdId()));
    }
    return commands;
  }

  /** Whether the recording has values. */
  boolean hasValues() {
    return recordings().anyMatch(values -> !values.isEmpty());
  }

  /** The names of the normalised series from the recording; empty if it has raw series only. */
  Set<String> names(String family) {
    return NAMES.computeIfAbsent(
        family + " " + this,
        unused -> {
          Set<String> names = new TreeSet<>();
          String serial = kind.hasFile() ? serials().iterator().next() : "";
          recordings().forEach(values -> names.addAll(names(family, serial, values)));
          return names;
        });
  }

  private static Set<String> names(String family, String serial, Map<String, Double> raw) {
    Plan plan = Plan.of(TABLE, TABLE.family(family), serial, raw.keySet().toArray(String[]::new));
    return names(plan, raw.values().stream().mapToDouble(value -> value).toArray());
  }

  /** The names of the series with a value. */
  static Set<String> names(Plan plan, double[] cells) {
    double[] values = plan.values(cells);
    Set<String> names = new TreeSet<>();
    for (int i = 0; i < values.length; i++) {
      Table.Name name = plan.series()[i].name();
      // A counter that has always been 0 is treated as absent.
      if (!Double.isNaN(values[i]) && (values[i] != 0 || !name.isCounter())) {
        names.add(name.name());
      }
    }
    return names;
  }

  /** The raw values of each recording. */
  private Stream<Map<String, Double>> recordings() {
    return switch (kind) {
      case FRAME -> decoded().map(Evidence::rawValues);
      case MAP, VALUES -> Stream.of(rawValues(json(QuotaMaps.text(file))));
      case PUSH -> pushes().map(push -> rawValues(push.path("quotas")));
      case CAPTURE, SCHEMA, REPORT -> Stream.of();
    };
  }

  /** The decoded messages of each frame. */
  private Stream<List<Decoded>> decoded() {
    String serial = serials().iterator().next() + "TEST";
    Stream<byte[]> frames =
        file.equals(STREAM_5000_FRAMES)
            ? stream(json(new String(TestFrames.resource("es2x/index.json"), UTF_8)))
                .filter(frame -> isOf(frame.path("model").asText()))
                .map(frame -> TestFrames.recorded("es2x/" + frame.path("file").asText()))
                .map(message -> Frames.frame(Frames.header(254, 39, message)))
            : Stream.of(TestFrames.recorded(file));
    return frames.map(frame -> TestFrames.decoded(frame, serial));
  }

  private Stream<JsonNode> pushes() {
    return stream(json(QuotaMaps.text(PUSHES)))
        .filter(push -> push.has("quotas"))
        .filter(push -> models.stream().anyMatch(model -> isOf(model, push)));
  }

  private static boolean isOf(String model, JsonNode push) {
    String serial = push.path("serial").asText();
    return serial.equals(model)
        || TABLE.family(serial, "").map(Table.Family::name).orElse("").equals(model);
  }

  static Map<String, Double> rawValues(List<Decoded> messages) {
    Map<String, Double> raw = new TreeMap<>();
    messages.forEach(message -> add(JSON.valueToTree(message.values()), "", raw));
    return raw;
  }

  private static Map<String, Double> rawValues(JsonNode values) {
    Map<String, Double> raw = new TreeMap<>();
    add(values, "", raw);
    return raw;
  }

  private static void add(JsonNode value, String key, Map<String, Double> raw) {
    if (value.isObject()) {
      value
          .properties()
          .forEach(
              field ->
                  add(
                      field.getValue(),
                      key.isEmpty() ? field.getKey() : key + "." + field.getKey(),
                      raw));
    } else if (value.isArray()) {
      for (int i = 0; i < value.size(); i++) {
        add(value.get(i), key + "[" + i + "]", raw);
      }
    } else if (value.isTextual() && value.asText().startsWith("{")) {
      add(json(value.asText()), key, raw);
    } else if (value.isNumber()) {
      raw.put(key, value.asDouble());
    } else if (value.isBoolean()) {
      raw.put(key, value.asBoolean() ? 1.0 : 0.0);
    }
  }

  private static Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
