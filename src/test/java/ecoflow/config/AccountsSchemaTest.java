package ecoflow.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import ecoflow.config.AccountsFileTest.Mistake;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/** The schema for editors accepts and rejects the same files as the reader. */
class AccountsSchemaTest {

  private static final Path FILE = Path.of("docs/accounts.schema.json");
  private static final Path EXAMPLE = Path.of("examples/accounts.yml");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNode TEXT = text();
  private static final JsonSchema SCHEMA =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(TEXT);

  /** Errors that a schema cannot express, and values that the exporter checks in more detail. */
  private static final Pattern ONLY_IN_READER =
      Pattern.compile(
          "is already used|the account in line|listed in devices|expected a (readable|regular|text)"
              + " file|a file (that is not empty|with the secret)|SN=value,SN=value"
              + "|user=\\*\\*\\*|key=\\*\\*\\*|a port from");

  @TempDir private Path directory;

  private static JsonNode text() {
    try {
      return JSON.readTree(FILE.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The keys of the accounts in the schema. */
  private static JsonNode properties() {
    return TEXT.at("/$defs/account/properties");
  }

  private static List<String> problems(String yaml) {
    LoadSettings settings = LoadSettings.builder().setSchema(new CoreSchema()).build();
    Object content;
    try {
      content = new Load(settings).loadFromString(yaml);
    } catch (YamlEngineException | StackOverflowError e) {
      return List.of("not YAML");
    }
    return SCHEMA.validate(JSON.valueToTree(content)).stream()
        .map(ValidationMessage::getMessage)
        .toList();
  }

  @Test
  void schemaHasTheKeysOfTheReader() {
    Set<String> keys = new TreeSet<>();
    properties().fieldNames().forEachRemaining(keys::add);
    assertEquals(AccountKeys.all(), keys);
  }

  @Test
  void schemaHasTheReservedLabelsOfTheReader() {
    Set<String> labels = new TreeSet<>();
    properties().at("/labels/propertyNames/not/enum").forEach(name -> labels.add(name.asText()));
    assertEquals(new TreeSet<>(AccountsReader.RESERVED_LABELS), labels);
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void schemaRejectsMistakes(Mistake mistake) {
    boolean isOnlyInReader = ONLY_IN_READER.matcher(mistake.error()).find();
    assertEquals(
        isOnlyInReader, problems(mistake.yaml()).isEmpty(), () -> "" + problems(mistake.yaml()));
  }

  static Stream<Mistake> mistakes() {
    return AccountsFileTest.MISTAKES.stream();
  }

  @ParameterizedTest
  @MethodSource("goodFiles")
  void schemaAcceptsGoodFiles(String yaml) {
    assertEquals(List.of(), problems(yaml));
  }

  static Stream<String> goodFiles() {
    return AccountsFileTest.GOOD.stream();
  }

  @Test
  void exampleAndDocumentationAreValid() throws Exception {
    List<String> files = new ArrayList<>();
    files.add(Files.readString(EXAMPLE));
    Matcher blocks =
        Pattern.compile("(?s)```yaml\n(accounts:.*?)```")
            .matcher(Files.readString(Path.of("docs/CONFIGURATION.md")));
    blocks.results().forEach(block -> files.add(block.group(1)));
    assertTrue(files.size() > 1);
    Path file = directory.resolve("accounts.yml");
    for (String yaml : files) {
      assertEquals(List.of(), problems(yaml));
      Matcher secrets = Pattern.compile("_file: (\\S+)").matcher(yaml);
      while (secrets.find()) {
        Files.writeString(directory.resolve(secrets.group(1)), "secret");
      }
      Files.writeString(file, yaml);
      Configuration configuration =
          Configuration.from(Map.of("ECOFLOW_ACCOUNTS_FILE", file.toString()));
      assertEquals(2, configuration.accounts().size());
    }
  }

  /** A number, its lower and its upper limit, and its default in the schema. */
  private record Limits(String key, BigDecimal min, BigDecimal max, BigDecimal byDefault) {}

  static Stream<Limits> limits() {
    return properties().properties().stream()
        .filter(key -> key.getValue().has("minimum"))
        .map(
            key ->
                new Limits(
                    key.getKey(),
                    key.getValue().get("minimum").decimalValue(),
                    key.getValue().get("maximum").decimalValue(),
                    key.getValue().get("default").decimalValue()));
  }

  @ParameterizedTest
  @MethodSource("limits")
  void limitsAndDefaultsAreThoseOfTheReader(Limits limits) throws Exception {
    BigDecimal step = new BigDecimal("0.01");
    assertTrue(isAccepted(limits.key(), limits.min()));
    assertTrue(isAccepted(limits.key(), limits.max()));
    assertTrue(!isAccepted(limits.key(), limits.min().subtract(step)));
    assertTrue(!isAccepted(limits.key(), limits.max().add(step)));
    String variable = AccountKeys.VARIABLES.get(limits.key());
    String byDefault =
        Settings.explain(
                Map.of(
                    "ECOFLOW_ACCESS_KEY",
                    "k",
                    "ECOFLOW_SECRET_KEY",
                    "s",
                    "ECOFLOW_DEVICE_SN",
                    "all"))
            .stream()
            .filter(row -> row.name().equals(variable))
            .findFirst()
            .orElseThrow()
            .value();
    assertEquals(byDefault, limits.byDefault().toPlainString());
  }

  private boolean isAccepted(String key, BigDecimal value) throws IOException {
    Path file = directory.resolve("accounts.yml");
    Files.writeString(
        file,
        "accounts: [{name: a, user: u, password: p, " + key + ": " + value.toPlainString() + "}]");
    try {
      Configuration.from(Map.of("ECOFLOW_ACCOUNTS_FILE", file.toString()));
      return true;
    } catch (ConfigException e) {
      return false;
    }
  }
}
