package ecoflow.normal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.testkit.GeneratedDocument;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Compares docs/MODELS.md with the catalogue of models and the packaged tables. */
class ModelsDocTest {

  private static final Table TABLE = PackagedTable.load();
  private static final List<Row> ROWS = PackagedTable.rows();

  /** Powers from which energy is computed, with their names in the document. */
  private static final Map<String, String> POWERS = powers();

  private static Map<String, String> powers() {
    Map<String, String> powers = new LinkedHashMap<>();
    powers.put("solar_power_watts", "solar");
    powers.put("grid_power_watts", "grid");
    powers.put("battery_power_watts", "battery");
    powers.put("home_load_power_watts", "home");
    powers.put("input_power_watts", "input");
    powers.put("output_power_watts", "output");
    return powers;
  }

  /** Values with their names in the document, by the start of the names of their metrics. */
  private static final Map<String, String> VALUES = values();

  private static Map<String, String> values() {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("battery_charge_ratio", "charge");
    values.put("battery_power_watts", "battery power");
    values.put("battery_time_to_", "times to full and empty");
    values.put("battery_charge_limit_ratio", "charge limits");
    values.put("battery_discharge_limit_ratio", "charge limits");
    values.put("battery_backup_reserve_ratio", "backup reserve");
    values.put("battery_remaining_energy_joules", "stored energy");
    values.put("battery_full_energy_joules", "stored energy");
    values.put("battery_pack_", "packs");
    values.put("solar_power_watts", "solar power");
    values.put("grid_", "grid");
    values.put("home_load_", "home load");
    values.put("circuit_", "circuits");
    values.put("inverter_phase_", "phases of the inverter");
    values.put("input_power_watts", "input power");
    values.put("output_power_watts", "output power");
    values.put("port_", "ports");
    values.put("temperature_setpoint_celsius", "set temperatures");
    values.put("temperature_celsius", "temperatures");
    values.put("ambient_humidity_ratio", "humidity");
    values.put("level_ratio", "fill levels");
    values.put("fuel_time_to_empty_seconds", "fill levels");
    values.put("component_error_code", "error codes");
    values.put("wifi_signal_dbm", "Wi-Fi signal");
    return values;
  }

  /** Table rows in MESSAGES.md: models, serial numbers, command, ..., evidence. */
  private static final Pattern MESSAGE_ROW =
      Pattern.compile("\\|[^|]*\\| ([A-Z0-9 ]+) \\| (\\d+/\\d+) \\|.*\\| (\\w+) \\|");

  /**
   * A model with its own row.
   *
   * @param prefix the start of its serial numbers; empty if it is not known
   */
  record Model(String prefix, String name, String family) {}

  /** A line of sections.csv. */
  private record Section(String group, String family, String title) {}

  static final List<Model> MODELS = models();
  private static final List<Message> MESSAGES = messages();

  /** The commands in recorded frames, by family. */
  private static final Map<String, Set<String>> RECORDED_COMMANDS = recordedCommands();

  @Test
  void documentMatchesTables() throws IOException {
    GeneratedDocument.assertEndsWith("MODELS.md", generated());
  }

  @Test
  void everyPrefixHasOneRow() throws IOException {
    List<String> rows =
        Files.readAllLines(Path.of("docs/MODELS.md")).stream()
            .takeWhile(line -> !line.equals("## Normal silence"))
            .map(Pattern.compile("\\| ([A-Z][A-Z0-9]+) \\| .*")::matcher)
            .filter(Matcher::matches)
            .map(row -> row.group(1))
            .sorted()
            .toList();
    List<String> prefixes =
        catalogue().map(Model::prefix).filter(prefix -> !prefix.isEmpty()).sorted().toList();
    assertEquals(prefixes, rows);
  }

  @Test
  void everyMetricHasNameInDocument() {
    assertEquals(
        List.of(),
        TABLE.names().stream()
            .map(Table.Name::name)
            .filter(name -> !isEnergyCounter(name) && value(name) == null)
            .toList());
  }

  private static String generated() throws IOException {
    List<Section> sections = sections();
    assertEquals(
        MODELS.stream()
            .map(Model::family)
            .filter(name -> !name.isEmpty())
            .distinct()
            .sorted()
            .toList(),
        sections.stream().map(Section::family).sorted().toList());
    StringBuilder text = new StringBuilder();
    Map<String, List<Section>> groups =
        sections.stream()
            .collect(
                Collectors.groupingBy(Section::group, LinkedHashMap::new, Collectors.toList()));
    text.append(
        "\n## Model families\n\nThis page lists %d prefixes of serial numbers:\n\n"
            .formatted(MODELS.stream().filter(model -> !model.prefix().isEmpty()).count()));
    groups.forEach(
        (group, of) ->
            text.append("- [%s](#%s): ".formatted(group, anchor(group)))
                .append(
                    of.stream()
                        .map(
                            section ->
                                "[%s](#%s)".formatted(section.title(), anchor(section.title())))
                        .collect(Collectors.joining(", ")))
                .append("\n"));
    text.append("- [Models with raw series only](#models-with-raw-series-only)\n");
    for (Map.Entry<String, List<Section>> group : groups.entrySet()) {
      text.append("\n## %s\n".formatted(group.getKey()));
      for (Section section : group.getValue()) {
        text.append(section(section));
      }
    }
    text.append(
        """

        ## Models with raw series only

        The values of an extra battery are also part of those of the device to which it is connected.

        | serial number | model |
        |---|---|
        """);
    MODELS.stream()
        .filter(model -> model.family().isEmpty())
        .forEach(model -> text.append("| %s | %s |\n".formatted(model.prefix(), model.name())));
    return text.append(silentModels()).append(parts()).toString();
  }

  private static String anchor(String title) {
    return title.toLowerCase(Locale.ROOT).replace(' ', '-');
  }

  private static String section(Section section) throws IOException {
    String family = section.family();
    List<Row> rows =
        ROWS.stream().filter(row -> row.isOn() && row.family().equals(family)).toList();
    List<Evidence.Channel> channels =
        Stream.of(Evidence.Channel.values())
            .filter(channel -> rows.stream().anyMatch(channel::contains))
            .toList();
    StringBuilder text = new StringBuilder("\n### %s\n\n".formatted(section.title()));
    text.append("| serial number | model |");
    channels.forEach(channel -> text.append(" %s |".formatted(channel.title())));
    text.append("\n|---|---|").append("---|".repeat(channels.size())).append("\n");
    for (Model model : MODELS) {
      if (model.family().equals(family)) {
        String prefix = model.prefix().isEmpty() ? "not known" : model.prefix();
        text.append("| %s | %s |".formatted(prefix, model.name()));
        channels.forEach(channel -> text.append(" %s |".formatted(cell(model, channel))));
        text.append("\n");
      }
    }
    text.append("\n");
    Map<Evidence.Channel, Set<String>> names = new EnumMap<>(Evidence.Channel.class);
    for (Evidence.Channel channel : channels) {
      names.put(channel, names(rows.stream().filter(channel::contains).toList()));
    }
    for (Evidence.Channel channel : channels) {
      text.append(
          "- %s: %d normalised name%s%s%s.\n"
              .formatted(
                  capitalised(channel.title()),
                  names.get(channel).size(),
                  names.get(channel).size() == 1 ? "" : "s",
                  channel == Evidence.Channel.APP ? " from " + app(rows) : "",
                  summary(family, channel, names.get(channel).size())));
    }
    if (channels.equals(List.of(Evidence.Channel.APP))) {
      text.append("- REST and Open: raw series only%s.\n".formatted(rest(family)));
    }
    Set<String> all = new TreeSet<>();
    names.values().forEach(all::addAll);
    text.append("- Values: %s.\n".formatted(String.join(", ", values(all))));
    if (channels.size() == 2) {
      for (Evidence.Channel channel : channels) {
        Set<String> only = new LinkedHashSet<>(values(names.get(channel)));
        Evidence.Channel other = channels.get(1 - channels.indexOf(channel));
        only.removeAll(values(names.get(other)));
        if (!only.isEmpty()) {
          text.append(
              "- Only with %s: %s.\n"
                  .formatted(
                      channel == Evidence.Channel.APP ? "the app" : channel.title(),
                      String.join(", ", only)));
        }
      }
    }
    energy(text, "Energy counted by the device", counted(rows));
    energy(text, "Computed energy", computed(rows));
    text.append(commands(family));
    text.append("- Evidence:\n");
    Evidence.ALL.stream()
        .filter(evidence -> isEvidence(evidence, family))
        .forEach(evidence -> text.append(line(evidence, family, channels.size() > 1)));
    return text.toString();
  }

  private static void energy(StringBuilder text, String title, String energies) {
    if (!energies.isEmpty()) {
      text.append("- %s: %s.\n".formatted(title, energies));
    }
  }

  private static String capitalised(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  /** The evidence for one model in one channel. */
  private static String cell(Model model, Evidence.Channel channel) {
    List<Evidence> ofFamily = evidence(model.family(), channel);
    List<Evidence> own = ofFamily.stream().filter(of -> of.isOf(model.prefix())).toList();
    List<String> parts = new ArrayList<>();
    Set<String> names = recorded(own, model.family());
    if (!names.isEmpty()) {
      parts.add(kinds(own, true) + names(names.size()));
    } else if (ofFamily.stream().anyMatch(of -> of.kind().hasFile())) {
      parts.add("family: " + kinds(ofFamily, true).replaceFirst(",.*", ""));
    }
    String withoutFile = kinds(own, false);
    if (!withoutFile.isEmpty()) {
      parts.add(withoutFile);
    }
    if (parts.isEmpty()) {
      parts.add(
          kinds(ofFamily.stream().filter(of -> of.isOfFamily(model.family())).toList(), false));
    }
    return String.join("; ", parts);
  }

  /** The evidence for the names of a channel. */
  private static String summary(String family, Evidence.Channel channel, int names) {
    List<Evidence> evidence = evidence(family, channel);
    int recorded = recorded(evidence, family).size();
    String others = kinds(evidence, false);
    if (recorded == names) {
      return ", all in recordings";
    }
    assertNotEquals("", others, () -> family + " " + channel + ": names without evidence");
    return recorded == 0
        ? ""
        : ", %d of them in recordings, otherwise %s".formatted(recorded, others);
  }

  private static List<Evidence> evidence(String family, Evidence.Channel channel) {
    return Evidence.ALL.stream()
        .filter(of -> of.channel() == channel && isEvidence(of, family))
        .toList();
  }

  private static boolean isEvidence(Evidence evidence, String family) {
    return evidence.isOfFamily(family)
        || MODELS.stream()
            .anyMatch(model -> model.family().equals(family) && evidence.isOf(model.prefix()));
  }

  private static Set<String> recorded(List<Evidence> evidence, String family) {
    Set<String> names = new TreeSet<>();
    evidence.forEach(of -> names.addAll(of.names(family)));
    return names;
  }

  private static String kinds(List<Evidence> evidence, boolean withFile) {
    return evidence.stream()
        .map(Evidence::kind)
        .filter(kind -> kind.hasFile() == withFile)
        .distinct()
        .sorted()
        .map(Evidence.Kind::toString)
        .collect(Collectors.joining(", "));
  }

  private static String line(Evidence evidence, String family, boolean withChannel) {
    return "  - %s%s%s%s: %s.\n"
        .formatted(
            withChannel ? evidence.channel().title() + ", " : "",
            evidence.kind(),
            evidence.isOfFamily(family) ? "" : " of " + String.join(", ", evidence.models()),
            evidence.kind().hasFile() ? names(evidence.names(family).size()) : "",
            evidence.source());
  }

  private static String names(int count) {
    return switch (count) {
      case 0 -> " (raw series only)";
      case 1 -> " (1 name)";
      default -> " (%d names)".formatted(count);
    };
  }

  private static String rest(String family) throws IOException {
    return Files.readAllLines(Path.of("src/test/resources/ecoflow/normal/channels.csv")).stream()
        .filter(line -> line.startsWith(family + ",,-,"))
        .map(line -> " (" + line.split(",", 4)[3] + ")")
        .findFirst()
        .orElse("");
  }

  private static Map<String, Set<String>> recordedCommands() {
    Map<String, Set<String>> commands = new TreeMap<>();
    for (Evidence evidence : Evidence.ALL) {
      for (String family : evidence.families()) {
        commands.computeIfAbsent(family, unused -> new TreeSet<>()).addAll(evidence.commands());
      }
    }
    return commands;
  }

  /** The family of a model; empty if it has raw series only. */
  private static String family(String serial, String name) {
    return TABLE.family(serial, name).map(Table.Family::name).orElse("");
  }

  private static List<Message> messages() {
    try {
      return Files.readAllLines(Path.of("docs/MESSAGES.md")).stream()
          .map(MESSAGE_ROW::matcher)
          .filter(Matcher::matches)
          .map(row -> Message.of(row.group(1).split(" "), row.group(2), row.group(3)))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A row of MESSAGES.md with the families of its models. */
  private record Message(Set<String> families, String command, String evidence) {

    static Message of(String[] serials, String command, String evidence) {
      Set<String> families = new TreeSet<>();
      for (String start : serials) {
        List<String> found =
            MODELS.stream()
                .filter(model -> model.prefix().startsWith(start))
                .map(Model::family)
                .toList();
        families.addAll(found.isEmpty() ? List.of(ModelsDocTest.family(start, "")) : found);
      }
      return new Message(families, command, evidence);
    }
  }

  private static String commands(String family) {
    Set<String> recorded = RECORDED_COMMANDS.getOrDefault(family, Set.of());
    Map<String, Set<String>> byEvidence = new LinkedHashMap<>();
    for (String evidence :
        List.of("frame", "frame of another family", "capture", "schema", "report")) {
      byEvidence.put(evidence, new LinkedHashSet<>());
    }
    for (Message message : MESSAGES) {
      if (!message.families().contains(family)) {
        continue;
      }
      boolean isOther = message.evidence().equals("frame") && !recorded.contains(message.command());
      byEvidence
          .get(isOther ? "frame of another family" : message.evidence())
          .add(message.command());
    }
    String commands =
        byEvidence.entrySet().stream()
            .filter(entry -> !entry.getValue().isEmpty())
            .map(entry -> String.join(" ", entry.getValue()) + " (" + entry.getKey() + ")")
            .collect(Collectors.joining(", "));
    return commands.isEmpty() ? "" : "- Commands: %s.\n".formatted(commands);
  }

  private static boolean isEnergyCounter(String metric) {
    return metric.endsWith("_energy_joules_total");
  }

  /** The name of a value in the document; null for none. */
  private static String value(String metric) {
    return VALUES.entrySet().stream()
        .filter(entry -> metric.startsWith(entry.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(null);
  }

  private static List<String> values(Set<String> metrics) {
    Set<String> found =
        metrics.stream()
            .filter(metric -> !isEnergyCounter(metric))
            .map(ModelsDocTest::value)
            .collect(Collectors.toSet());
    return VALUES.values().stream().distinct().filter(found::contains).toList();
  }

  private static String silentModels() {
    StringBuilder text =
        new StringBuilder(
            """

            ## Normal silence

            | serial number | model | longest normal silence |
            |---|---|---|
            """);
    for (Model model : MODELS) {
      Duration silence = TABLE.silence(model.prefix(), model.name());
      if (!silence.isZero()) {
        text.append(
            "| %s | %s | %d s |\n".formatted(model.prefix(), model.name(), silence.toSeconds()));
      }
    }
    return text.toString();
  }

  private static String parts() {
    StringBuilder text =
        new StringBuilder(
            """

            ## Parts that may be absent

            An absent part, such as an extra battery that is not plugged in, has no normalised series, and no sum
            includes it. Many devices send zeros or old values for such a part, so `parts.csv` has conditions on other
            raw values of the device. `!=` is also true for a value that the device has not sent; `<>`, `=`, `<` and `>`
            are false. Raw series are not affected. Families are those of [METRICS.md](METRICS.md).

            | families | part | present if | evidence |
            |---|---|---|---|
            """);
    for (PartsTableTest.Line line : PartsTableTest.conditions()) {
      List<String> cells = line.cells();
      text.append(
          "| %s | %s | %s | %s |\n"
              .formatted(cells.get(0), cells.get(1), condition(cells.get(3)), cells.get(4)));
    }
    text.append(
        """

        These parts have no condition:

        | families | part | reason |
        |---|---|---|
        """);
    for (PartsTableTest.Line line : PartsTableTest.WITHOUT_CONDITION) {
      text.append("| %s |\n".formatted(String.join(" | ", line.cells())));
    }
    return text.toString();
  }

  /** A cell of a Markdown table cannot contain a vertical bar. */
  private static String condition(String present) {
    return Stream.of(present.split(";"))
        .map(
            clause ->
                Stream.of(clause.split("[|]"))
                    .map(comparison -> "`" + comparison + "`")
                    .collect(Collectors.joining(" or ")))
        .collect(Collectors.joining("; and "));
  }

  private static String app(List<Row> rows) {
    return Stream.of("protobuf", "json")
        .filter(channel -> rows.stream().anyMatch(row -> row.channel().equals(channel)))
        .map(channel -> channel.equals("json") ? "JSON" : channel)
        .collect(Collectors.joining(" and "));
  }

  private static String counted(List<Row> rows) {
    return rows.stream()
        .filter(Row::isNative)
        .map(row -> row.metric().replace("_energy_joules_total", "").replace('_', ' '))
        .distinct()
        .sorted()
        .collect(Collectors.joining(", "));
  }

  private static String computed(List<Row> rows) {
    Set<String> names = names(rows);
    return POWERS.entrySet().stream()
        .filter(power -> names.contains(power.getKey()))
        .map(Map.Entry::getValue)
        .collect(Collectors.joining(", "));
  }

  /** The names of the rows, and those of sums of their parts. */
  static Set<String> names(List<Row> rows) {
    Set<String> names = rows.stream().map(Row::metric).collect(Collectors.toSet());
    boolean isSolar =
        rows.stream()
            .filter(row -> row.metric().equals("port_input_power_watts"))
            .anyMatch(row -> row.labels().get("port").startsWith("solar_"));
    if (isSolar) {
      names.add("solar_power_watts");
    }
    if (isPowerOfEachPackKnown(rows)) {
      names.add("battery_power_watts");
    }
    if (!names.contains("battery_power_watts")) {
      names.removeIf(name -> name.startsWith("battery_time_to_"));
    }
    return names;
  }

  private static boolean isPowerOfEachPackKnown(List<Row> rows) {
    Set<Map<String, String>> packs =
        labels(rows, Set.of("battery_pack_charge_ratio", "battery_pack_voltage_volts"));
    Set<Map<String, String>> withPower =
        labels(rows, Set.of("battery_pack_current_amperes", "battery_pack_power_watts"));
    return !withPower.isEmpty() && withPower.containsAll(packs);
  }

  private static Set<Map<String, String>> labels(List<Row> rows, Set<String> metrics) {
    return rows.stream()
        .filter(row -> metrics.contains(row.metric()))
        .map(Row::labels)
        .collect(Collectors.toSet());
  }

  /** All models, by prefix, with an empty family if they have raw series only. */
  private static List<Model> models() {
    try {
      Stream<Model> known = catalogue();
      List<Model> models =
          known.sorted(Comparator.comparing(Model::prefix)).collect(Collectors.toList());
      // Models in the device list whose serial numbers are not known.
      for (String line :
          Files.readAllLines(Path.of("src/main/resources/ecoflow/normal/families.csv"))) {
        String[] cells = line.split(",", -1);
        String family = family("", cells[1]);
        if (cells[0].isEmpty()
            && models.stream().noneMatch(model -> model.family().equals(cells[2]))
            && !family.isEmpty()) {
          models.add(new Model("", cells[1], family));
        }
      }
      return models;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Stream<Model> catalogue() throws IOException {
    JsonNode catalogue = new ObjectMapper().readTree(Path.of("devices.json").toFile());
    return StreamSupport.stream(catalogue.spliterator(), false)
        .map(
            model -> {
              String prefix = model.path("sn").asText();
              String name = model.path("name").asText();
              String family = family(prefix, name);
              return new Model(prefix, name, family);
            });
  }

  private static List<Section> sections() throws IOException {
    return Files.readAllLines(Path.of("src/test/resources/models/sections.csv")).stream()
        .skip(1)
        .map(line -> line.split(","))
        .map(cells -> new Section(cells[0], cells[1], cells[2]))
        .toList();
  }
}
