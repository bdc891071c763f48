package ecoflow.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.config.Settings.LogLevel;
import ecoflow.config.Settings.Mode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {

  private static final String SECRET = "s3cret-value";

  @TempDir Path directory;

  private static Map<String, String> keys(String... more) {
    return with(
        Map.of(
            "ECOFLOW_ACCESS_KEY", "key",
            "ECOFLOW_SECRET_KEY", SECRET,
            "ECOFLOW_DEVICE_SN", "R331A"),
        more);
  }

  private static Map<String, String> account(String... more) {
    return with(
        Map.of(
            "ECOFLOW_ACCOUNT_USER", "me@example.com",
            "ECOFLOW_ACCOUNT_PASSWORD", SECRET,
            "ECOFLOW_DEVICE_SN", "R331A"),
        more);
  }

  private static Map<String, String> with(Map<String, String> variables, String... more) {
    Map<String, String> all = new HashMap<>(variables);
    for (int i = 0; i < more.length; i += 2) {
      all.put(more[i], more[i + 1]);
    }
    return all;
  }

  private static String error(Map<String, String> variables) {
    String message =
        assertThrows(ConfigException.class, () -> Settings.from(variables)).getMessage();
    assertFalse(message.contains("\n"), "one line only: " + message);
    assertFalse(message.contains(SECRET), "no secret: " + message);
    return message;
  }

  @Test
  void defaultsMatchDocumentation() throws ConfigException {
    Settings settings = Settings.from(keys());

    assertEquals(Mode.REST, settings.mode());
    assertEquals(List.of("R331A"), settings.devices().serials());
    assertEquals(
        List.of("api-e.ecoflow.com", "api-a.ecoflow.com", "api.ecoflow.com"),
        settings.http().hosts());
    assertEquals(5000, settings.devices().maxSeries());
    assertEquals(9090, settings.page().port());
    assertEquals("ecoflow", settings.page().prefix());
    assertEquals(List.of(), settings.registries().names());
    assertEquals(LogLevel.INFO, settings.logLevel());
    assertEquals(Path.of("devices.json"), settings.devices().file().path());
    assertFalse(settings.devices().file().explicit());
    assertEquals(5, settings.http().attempts());
    assertEquals(3, settings.http().retries());
    assertEquals(Duration.ofSeconds(10), settings.devices().collectingInterval());
    assertEquals(Duration.ofSeconds(60), settings.devices().listLife());
    assertEquals(Duration.ofSeconds(60), settings.devices().timeout());
    assertEquals(Duration.ofMinutes(15), settings.devices().seriesLife());
    assertEquals(Duration.ofSeconds(30), settings.http().timeout());
    assertEquals(Duration.ofMillis(500), settings.http().backoff());
    assertEquals(Duration.ofSeconds(30), settings.http().pause());
    assertEquals(
        new MqttSettings(
            Optional.empty(),
            Duration.ofSeconds(60),
            Duration.ofSeconds(30),
            Duration.ofSeconds(300),
            Duration.ofHours(20),
            Duration.ofSeconds(30)),
        settings.mqtt());
  }

  @Test
  void credentialsDetermineMode() throws ConfigException {
    assertEquals(Mode.REST, Settings.from(keys("ECOFLOW_API_TYPE", "rest")).mode());
    assertEquals(Mode.MQTT, Settings.from(account()).mode());
    assertEquals(Mode.MQTT, Settings.from(account("ECOFLOW_API_TYPE", "mqtt")).mode());
    assertEquals(Mode.DEVICE, Settings.from(account("ECOFLOW_API_TYPE", "Device")).mode());
    // Compose files pass unset variables as empty ones.
    assertEquals(Mode.MQTT, Settings.from(account("ECOFLOW_ACCESS_KEY", " ")).mode());
  }

  @Test
  void developerKeysOverrideAccountModeWithWarning() throws ConfigException {
    Settings settings = Settings.from(keys("ECOFLOW_API_TYPE", "device"));

    assertEquals(Mode.REST, settings.mode());
    assertEquals(1, settings.notes().size());
    assertTrue(settings.notes().get(0).startsWith("ECOFLOW_API_TYPE=device has no effect"));
  }

  @Test
  void routesReloadRequiresDirectory() throws ConfigException {
    String reload = "ECOFLOW_ROUTES_RELOAD";
    String dir = "ECOFLOW_ROUTES_DIR";

    assertFalse(Settings.from(keys(dir, directory.toString())).routesReload());
    assertTrue(Settings.from(keys(dir, directory.toString(), reload, "True")).routesReload());
    Settings without = Settings.from(keys(reload, "true"));
    assertFalse(without.routesReload());
    assertEquals(List.of(reload + " has no effect without " + dir), without.notes());
    assertTrue(error(keys(reload, "yes")).endsWith("expected true or false"));
    assertTrue(error(keys(dir, "/nowhere")).contains(dir + "=/nowhere is not valid"));
  }

  @Test
  void textsAreOptional() throws ConfigException {
    String info = "ECOFLOW_INFO";

    assertFalse(Settings.from(keys()).page().info());
    assertTrue(Settings.from(keys(info, "true")).page().info());
    assertTrue(error(keys(info, "on")).endsWith("expected true or false"));
  }

  @Test
  void metricsOfTheProcessAreOptional() throws ConfigException {
    String jvm = "ECOFLOW_JVM_METRICS";

    assertFalse(Settings.from(keys()).page().jvmMetrics());
    assertTrue(Settings.from(keys(jvm, "True")).page().jvmMetrics());
    assertTrue(error(keys(jvm, "1")).endsWith("expected true or false"));
    assertEquals("jvm", Settings.from(keys("METRICS_PREFIX", "jvm")).page().prefix());
    for (String prefix : List.of("jvm", "jvm_memory", "process")) {
      assertEquals(
          "METRICS_PREFIX="
              + prefix
              + " is not valid: expected a prefix other than jvm and process with "
              + jvm,
          error(keys("METRICS_PREFIX", prefix, jvm, "true")));
    }
  }

  @Test
  void messagesDirMustExist() throws ConfigException {
    String dir = "ECOFLOW_MESSAGES_DIR";

    assertEquals(
        directory, Settings.from(keys(dir, directory.toString())).messagesDir().orElseThrow());
    assertTrue(Settings.from(keys()).messagesDir().isEmpty());
    assertTrue(error(keys(dir, "/nowhere")).contains(dir + "=/nowhere is not valid"));
  }

  @Test
  void recordingOfAllMessagesRequiresDirectory() throws ConfigException {
    String record = "ECOFLOW_RECORD";
    String dir = "ECOFLOW_RECORD_DIR";
    String path = directory.toString();

    RecordingSettings none = Settings.from(keys()).recording();
    assertEquals(new RecordingSettings(Optional.empty(), false), none);
    RecordingSettings unknown = Settings.from(keys(dir, path, record, "unknown")).recording();
    assertEquals(new RecordingSettings(Optional.of(directory), false), unknown);
    assertEquals(Optional.empty(), unknown.allDirectory());
    RecordingSettings all = Settings.from(keys(dir, path, record, "All")).recording();
    assertEquals(Optional.of(directory), all.allDirectory());
    assertEquals(
        "ECOFLOW_RECORD=all requires ECOFLOW_RECORD_DIR: set it to a writable directory",
        error(keys(record, "all")));
    assertEquals(
        "ECOFLOW_RECORD=yes is not valid: expected unknown or all",
        error(keys(dir, path, record, "yes")));
  }

  @Test
  void ambiguousMissingAndIncompleteCredentialsAreRejected() {
    Map<String, String> both = account("ECOFLOW_ACCESS_KEY", "k", "ECOFLOW_SECRET_KEY", "s");
    assertTrue(error(both).contains("are both set"));
    assertTrue(error(Map.of("ECOFLOW_DEVICE_SN", "A")).startsWith("no credentials: set"));
    assertEquals(
        "ECOFLOW_SECRET_KEY is not set, but ECOFLOW_ACCESS_KEY is: set both or neither",
        error(keys("ECOFLOW_SECRET_KEY", "")));
    assertEquals(
        "ECOFLOW_ACCOUNT_USER is not set, but ECOFLOW_ACCOUNT_PASSWORD is: set both or neither",
        error(account("ECOFLOW_ACCOUNT_USER", "")));
    assertTrue(
        error(account("ECOFLOW_API_TYPE", "rest"))
            .startsWith("ECOFLOW_API_TYPE=rest requires ECOFLOW_ACCESS_KEY"));
    assertTrue(
        error(account("ECOFLOW_API_TYPE", "open"))
            .startsWith("ECOFLOW_API_TYPE=open requires ECOFLOW_ACCESS_KEY"));
  }

  @Test
  void energyHistoryIsOffByDefaultAndRequiresDeveloperKeys() throws ConfigException {
    String name = "ECOFLOW_HISTORY_INTERVAL";
    assertEquals(Optional.empty(), Settings.from(keys()).devices().historyInterval());
    Settings on = Settings.from(keys(name, "900"));
    assertEquals(Optional.of(Duration.ofMinutes(15)), on.devices().historyInterval());
    assertEquals(List.of(), on.notes());
    assertEquals(
        List.of(
            name + " has no effect in mode mqtt: EcoFlow's energy history requires developer keys"),
        Settings.from(account(name, "900")).notes());
    for (String role : List.of("collect", "serve")) {
      assertTrue(
          Settings.from(account(name, "900", "ECOFLOW_ROLE", role, "ECOFLOW_KAFKA_BROKERS", "k:1"))
              .notes()
              .contains(name + " has no effect with ECOFLOW_ROLE=" + role),
          role);
    }
  }

  @Test
  void modeOpenMustBeSetExplicitly() throws ConfigException {
    assertEquals(Mode.REST, Settings.from(keys()).mode());
    Settings open = Settings.from(keys("ECOFLOW_API_TYPE", "Open", "ECOFLOW_FULL_INTERVAL", "60"));
    assertEquals(Mode.OPEN, open.mode());
    assertEquals("open", open.mode().label());
    assertEquals(List.of(), open.notes());
    assertEquals(Duration.ofSeconds(60), open.devices().fullInterval());
    // A value that does not change is not pushed, so it arrives with the next poll.
    assertEquals(Duration.ofSeconds(960), open.devices().seriesLife());
    assertEquals(Duration.ofSeconds(900), Settings.from(keys()).devices().seriesLife());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ECOFLOW_API_TYPE | http | rest, open, mqtt or device",
        "ECOFLOW_DEVICE_SN | A B | one serial number",
        "ECOFLOW_DEVICE_SN | A,all | one serial number",
        "ECOFLOW_DEVICE_SN | A/# | one serial number",
        "ECOFLOW_DEVICE_SN | ,, | one serial number",
        "EXPORTER_PORT | 0 | a whole number from 1 to 65535",
        "EXPORTER_PORT | 70000 | a whole number from 1 to 65535",
        "EXPORTER_PORT | web | a whole number from 1 to 65535",
        "METRICS_PREFIX | 1x | letters, digits",
        "METRICS_PREFIX | a-b | letters, digits",
        "LOG_LEVEL | loud | DEBUG, INFO, WARNING, ERROR or CRITICAL",
        "COLLECTING_INTERVAL | 0 | seconds from 0.1 to 86400",
        "COLLECTING_INTERVAL | 10s | seconds from 0.1 to 86400",
        "ECOFLOW_HISTORY_INTERVAL | 0 | seconds from 900 to 86400",
        "ECOFLOW_HISTORY_INTERVAL | 899.9 | seconds from 900 to 86400",
        "ECOFLOW_HISTORY_INTERVAL | off | seconds from 900 to 86400",
        "QUOTA_REQUEST_INTERVAL | -1 | seconds from 0.1 to 86400",
        "RETRY_TIMEOUT | never | seconds from 0.1 to 86400",
        "ESTABLISH_ATTEMPTS | 0 | a whole number from 1 to 1000000",
        "HTTP_TIMEOUT | 0 | seconds from 0.1 to 3600",
        "HTTP_RETRIES | 1.5 | a whole number from 0 to 100",
        "HTTP_BACKOFF_FACTOR | -0.1 | seconds from 0 to 3600",
        "DEVICE_LIST_CACHE_TTL | 1e9 | seconds from 0 to 86400",
        "MQTT_TIMEOUT | 0 | seconds from 0.1 to 86400",
        "MQTT_KEEPALIVE | 0 | seconds from 1 to 65535",
        "IDLE_CHECK_INTERVAL | x | seconds from 0.1 to 86400",
        "ECOFLOW_SERIES_TTL | 0 | seconds from 0.1 to 8640000",
        "ECOFLOW_CREDENTIALS_TTL | x | seconds from 1 to 8640000",
        "ECOFLOW_MAX_SERIES_PER_DEVICE | 0 | a whole number from 1 to 1000000",
        "ECOFLOW_MAX_DEVICES | 0 | a whole number from 1 to 1000000",
        "ECOFLOW_MAX_DEVICES | many | a whole number from 1 to 1000000",
        "ECOFLOW_MQTT_CLIENT_ID | a b | up to 128 letters",
        "MAX_RECONNECT_DELAY | 0.5 | seconds from 1 to 86400",
        "ECOFLOW_API_HOST | https://api.ecoflow.com | a host name",
        "ECOFLOW_API_HOST | api.ecoflow.com:0 | a port from 1 to 65535",
        "ECOFLOW_CA_FILE | /nowhere/ca.pem | a readable file with PEM certificates",
        "ECOFLOW_SECRET_KEY_FILE | /nowhere/key | are both set",
      })
  void invalidValuesAreReportedWithAllowedValues(String name, String value, String allowed) {
    String message = error(keys(name, value));

    assertTrue(message.startsWith(name) || message.contains(name), message);
    assertTrue(message.contains(allowed), message);
  }

  @Test
  void longValueWithControlCharactersIsReportedInShortLine() {
    String message = error(keys("LOG_LEVEL", "x\ny" + "z".repeat(500)));

    assertTrue(message.startsWith("LOG_LEVEL=x?yz"), message);
    assertTrue(message.length() < 200, message);
  }

  @Test
  void duplicateSerialNumbersAreRemoved() throws ConfigException {
    assertEquals(
        List.of("A1", "B2"),
        Settings.from(keys("ECOFLOW_DEVICE_SN", " A1, B2 ,,A1")).devices().serials());
    assertEquals(List.of(), Settings.from(keys("ECOFLOW_DEVICE_SN", "ALL")).devices().serials());
    assertTrue(error(keys("ECOFLOW_DEVICE_SN", "")).startsWith("ECOFLOW_DEVICE_SN is not set"));
  }

  @Test
  void nameOfSingleDeviceIsPlainText() throws ConfigException {
    assertEquals(
        Map.of("R331A", "Shed, west = left"),
        Settings.from(keys("ECOFLOW_DEVICE_NAME", "Shed, west = left")).devices().names());
    assertEquals(
        Map.of("R331A", "Shed"),
        Settings.from(keys("ECOFLOW_DEVICE_NAME", "R331A=Shed")).devices().names());
  }

  @Test
  void namesOfSeveralDevicesAreKeyedBySerialNumber() throws ConfigException {
    Settings settings =
        Settings.from(
            keys(
                "ECOFLOW_DEVICE_SN", "A1,B2",
                "ECOFLOW_DEVICE_NAME", "A1=Shed, west,B2=Van",
                "ECOFLOW_PRODUCT_NAME", "B2=DELTA",
                "ECOFLOW_DEVICE_GENERAL_KEY", "A1=x"));

    assertEquals(Map.of("A1", "Shed, west", "B2", "Van"), settings.devices().names());
    assertEquals(Map.of("B2", "DELTA"), settings.devices().products());
    assertEquals(Map.of("A1", "x"), settings.devices().generalKeys());
    assertTrue(
        error(keys("ECOFLOW_DEVICE_SN", "A1,B2", "ECOFLOW_DEVICE_NAME", "Shed"))
            .contains("SN=value,SN=value"));
    assertTrue(
        error(keys("ECOFLOW_DEVICE_SN", "A1,B2", "ECOFLOW_DEVICE_NAME", "C3=Shed"))
            .contains("serial numbers listed in ECOFLOW_DEVICE_SN"));
  }

  @Test
  void secretsCanBeReadFromFiles() throws Exception {
    Path key = Files.writeString(directory.resolve("key"), "  " + SECRET + "\n");
    Map<String, String> variables = keys("ECOFLOW_SECRET_KEY_FILE", key.toString());
    variables.remove("ECOFLOW_SECRET_KEY");

    assertEquals(SECRET, Settings.from(variables).credentials().secret());

    Files.writeString(key, "\n");
    assertTrue(error(variables).contains("a file that is not empty"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ECOFLOW_ACCESS_KEY_FILE", "ECOFLOW_ACCOUNT_PASSWORD_FILE", "ECOFLOW_CA_FILE"})
  void messagesAboutFilesContainTheReason(String name) throws Exception {
    Map<String, String> variables = name.contains("ACCOUNT") ? account() : keys();
    variables.remove(name.replace("_FILE", ""));
    Path file = directory.resolve("file");
    variables.put(name, file.toString());
    String error = error(variables);
    assertTrue(error.startsWith(name + "=" + file + " is not valid: expected "), error);
    assertTrue(error.endsWith(", but it does not exist"), error);

    Files.createDirectory(file);
    assertTrue(error(variables).endsWith(", but it is a directory"), error(variables));
  }

  @Test
  void credentialsAreTrimmedAndNotPrinted() throws ConfigException {
    Settings settings =
        Settings.from(keys("ECOFLOW_ACCESS_KEY", " key\n", "ECOFLOW_SECRET_KEY", SECRET + " "));

    assertEquals("key", settings.credentials().id());
    assertEquals(SECRET, settings.credentials().secret());
    assertFalse(settings.toString().contains(SECRET));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\uFEFF%s\r\n",
        "%s\u200B",
        "\u200C%s\u200D",
        "\u2060%s\uFEFF",
        "%s\u00A0",
        "\u3000%s\u2007\u202F",
        "\u2028%s\u0085",
        "\u200E \t%s\u200B \u200B"
      })
  void invisibleCharactersAroundKeysAndUsersAreRemoved(String form) throws Exception {
    Settings keys =
        Settings.from(
            keys(
                "ECOFLOW_ACCESS_KEY", form.formatted("key"),
                "ECOFLOW_SECRET_KEY", form.formatted(SECRET)));
    assertEquals("key", keys.credentials().id());
    assertEquals(SECRET, keys.credentials().secret());
    assertEquals(List.of(), keys.notes());

    Path file = Files.writeString(directory.resolve("file"), form.formatted("me@example.com"));
    Map<String, String> account = account("ECOFLOW_ACCOUNT_USER_FILE", file.toString());
    account.remove("ECOFLOW_ACCOUNT_USER");
    assertEquals("me@example.com", Settings.from(account).credentials().id());
    assertEquals(
        List.of("R331A", "B2"),
        Settings.from(
                keys("ECOFLOW_DEVICE_SN", form.formatted("R331A") + "," + form.formatted("B2")))
            .devices()
            .serials());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "s3c\u200Bret | character 4 is U+200B; a key must consist of printable ASCII characters",
        "s3c\u00E4ret | character 4 is U+00E4; a key must consist of printable ASCII characters",
        "\u201Cs3cret | character 1 is U+201C; a key must consist of printable ASCII characters",
        "ab\uD83D\uDD11c\u200Bd | character 3 is U+1F511; a key must consist of printable ASCII characters",
        "\"s3cret-value | it starts with a quote",
        "s3cret-value' | it ends with a quote",
        "\" | it ends with a quote",
      })
  void invalidKeysAreRejectedWithoutPrintingThem(String value, String why) throws Exception {
    for (String name : List.of("ECOFLOW_ACCESS_KEY", "ECOFLOW_SECRET_KEY")) {
      assertEquals(name + "=*** is not valid: " + why, error(keys(name, value)));

      Path file = Files.writeString(directory.resolve("file"), "\uFEFF" + value + "\r\n");
      Map<String, String> variables = keys(name + "_FILE", file.toString());
      variables.remove(name);
      assertEquals(name + "_FILE=" + file + " is not valid: " + why, error(variables));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"%s\"", "'%s'", "\u201C%s\u201D", "\u201E%s\u201C", " \"%s\"\n"})
  void credentialsWithQuotesAroundThemAreRejectedWithoutPrintingThem(String form) throws Exception {
    String value = form.formatted(SECRET);
    for (String name : List.of("ECOFLOW_ACCESS_KEY", "ECOFLOW_SECRET_KEY")) {
      String rest = " has quotes around it: remove them";
      assertEquals(name + "=***" + rest, error(keys(name, value)));

      Path file = Files.writeString(directory.resolve("file"), value);
      Map<String, String> variables = keys(name + "_FILE", file.toString());
      variables.remove(name);
      assertEquals(name + "_FILE=" + file + ": the content of the file" + rest, error(variables));
    }
    for (String name : List.of("ECOFLOW_ACCOUNT_USER", "ECOFLOW_ACCOUNT_PASSWORD")) {
      assertEquals(name + "=*** has quotes around it: remove them", error(account(name, value)));
    }
  }

  /** A password can contain quotes; a file is the way to set it. */
  @Test
  void quotesAroundAPasswordInAFileArePartOfIt() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "'" + SECRET + "'\n");
    Map<String, String> variables = account("ECOFLOW_ACCOUNT_PASSWORD_FILE", file.toString());
    variables.remove("ECOFLOW_ACCOUNT_PASSWORD");
    Settings settings = Settings.from(variables);
    assertEquals("'" + SECRET + "'", settings.credentials().secret());
    assertEquals(
        List.of(
            "ECOFLOW_ACCOUNT_PASSWORD_FILE="
                + file
                + ": the content of the file has quotes around it, which are sent as part of the"
                + " password: remove them if they do not belong to it"),
        settings.notes());
  }

  @Test
  void keyWithLineEndIsRejected() {
    assertEquals(
        "ECOFLOW_SECRET_KEY=*** is not valid: character 2 is U+000A; a key must consist of"
            + " printable ASCII characters",
        error(keys("ECOFLOW_SECRET_KEY", "a\nb")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "me@example.com' | it ends with a quote",
        "me@exa\u200Bmple.com | character 7 is U+200B; a user must not contain white space or invisible characters",
        "me @example.com | character 3 is U+0020; a user must not contain white space or invisible characters",
      })
  void invalidUsersAreRejected(String value, String why) {
    assertEquals(
        "ECOFLOW_ACCOUNT_USER=*** is not valid: " + why,
        error(account("ECOFLOW_ACCOUNT_USER", value)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\"me\"@example.com", "m\u00FCller@example.com", "o'neil@example.com", "+491701"})
  void unusualUsersAreAccepted(String value) throws ConfigException {
    Settings settings = Settings.from(account("ECOFLOW_ACCOUNT_USER", value));
    assertEquals(value, settings.credentials().id());
    assertEquals(List.of(), settings.notes());
  }

  @Test
  void onlyByteOrderMarkAndLineEndsAreRemovedFromPassword() throws Exception {
    Path file = directory.resolve("password");
    Map<String, String> variables = account("ECOFLOW_ACCOUNT_PASSWORD_FILE", file.toString());
    variables.remove("ECOFLOW_ACCOUNT_PASSWORD");
    for (String password : List.of(SECRET, "p\u00E4ss w\u00F6rd", "\"half", "half'")) {
      Files.writeString(file, "\uFEFF" + password + "\r\n\n");
      Settings settings = Settings.from(variables);
      assertEquals(password, settings.credentials().secret());
      assertEquals(List.of(), settings.notes());
      assertEquals(
          password,
          Settings.from(account("ECOFLOW_ACCOUNT_PASSWORD", "\n" + password + "\n"))
              .credentials()
              .secret());
    }
    Files.writeString(file, " \r\n");
    assertTrue(error(variables).contains("a file that is not empty"));
    assertTrue(
        error(account("ECOFLOW_ACCOUNT_PASSWORD", " "))
            .startsWith("ECOFLOW_ACCOUNT_PASSWORD is not set"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        " s3cret-value|starts or ends with white space or an invisible character",
        "s3cret-value\u00A0|starts or ends with white space or an invisible character",
      })
  void unusualPasswordIsAcceptedWithWarning(String password, String why) throws ConfigException {
    Settings settings = Settings.from(account("ECOFLOW_ACCOUNT_PASSWORD", password));
    assertEquals(password, settings.credentials().secret());
    assertEquals(1, settings.notes().size(), () -> "" + settings.notes());
    String note = settings.notes().get(0);
    assertTrue(note.startsWith("ECOFLOW_ACCOUNT_PASSWORD=*** " + why), note);
    assertFalse(note.contains(SECRET), note);
  }

  @ParameterizedTest
  @ValueSource(strings = {"s3cret-value\nnext line", "s\u00003\u0000"})
  void controlCharacterInPasswordIsReported(String password) throws Exception {
    Path file = Files.writeString(directory.resolve("password"), password);
    Map<String, String> variables = account("ECOFLOW_ACCOUNT_PASSWORD_FILE", file.toString());
    variables.remove("ECOFLOW_ACCOUNT_PASSWORD");
    Settings settings = Settings.from(variables);
    assertEquals(password, settings.credentials().secret());
    assertEquals(
        List.of(
            "ECOFLOW_ACCOUNT_PASSWORD_FILE="
                + file
                + " contains a line break or another control character, which is sent as part of"
                + " the password"),
        settings.notes());
  }

  /** All known variables, including those that no check of their values would reject. */
  @ParameterizedTest
  @MethodSource("variablesWithoutQuotes")
  void quotesAroundAValueAreRejected(String name) {
    boolean isSecret =
        List.of(
                "ECOFLOW_ACCESS_KEY",
                "ECOFLOW_SECRET_KEY",
                "ECOFLOW_JAVA_OPTS",
                "ECOFLOW_MAVEN_MIRROR")
            .contains(name);
    for (String value : List.of("\"rest\"", "'rest'", "\"\"", "\u201Crest\u201D")) {
      assertEquals(
          name + "=" + (isSecret ? "***" : value) + " has quotes around it: remove them",
          error(keys(name, value)));
    }
  }

  static Stream<String> variablesWithoutQuotes() {
    return AccountKeys.knownVariables().stream()
        .filter(name -> !name.startsWith("ECOFLOW_ACCOUNT_") && !name.equals("JAVA_HOME"))
        .filter(name -> !name.endsWith("_PROXY"));
  }

  @Test
  void quotesAroundAProxyAreRejectedWithoutItsLogin() {
    assertEquals(
        "HTTPS_PROXY=*** has quotes around it: remove them",
        error(keys("HTTPS_PROXY", "\"http://user:s3cret@proxy:1\"")));
  }

  @Test
  void quotesInsideAValueAreAllowed() throws ConfigException {
    Settings settings = Settings.from(keys("ECOFLOW_DEVICE_NAME", "\"Shed\" west"));
    assertEquals(Map.of("R331A", "\"Shed\" west"), settings.devices().names());
    assertEquals(List.of(), settings.notes());
    Settings.from(keys("NO_PROXY", "'localhost'", "JAVA_HOME", "\"/opt/java\""));
  }

  @Test
  void charactersOutsideLocaleAreReported() throws Exception {
    String why = " characters that cannot be decoded in the locale of this process";
    Map<String, Map<String, String>> bySecret =
        Map.of(
            "ECOFLOW_ACCESS_KEY", keys("ECOFLOW_ACCESS_KEY", "\uFFFD\uFFFDs3cret"),
            "ECOFLOW_SECRET_KEY", keys("ECOFLOW_SECRET_KEY", "s3cret\uFFFD"),
            "ECOFLOW_ACCOUNT_USER", account("ECOFLOW_ACCOUNT_USER", "m\uFFFDller@example.com"),
            "ECOFLOW_ACCOUNT_PASSWORD", account("ECOFLOW_ACCOUNT_PASSWORD", "p\uFFFDss"));
    bySecret.forEach(
        (name, variables) ->
            assertEquals(
                name
                    + "=*** is not valid: it has"
                    + why
                    + "; set LC_ALL=C.UTF-8, or use "
                    + name
                    + "_FILE",
                error(variables)));

    Settings settings = Settings.from(keys("ECOFLOW_DEVICE_NAME", "B\uFFFDro"));
    assertEquals(
        List.of("ECOFLOW_DEVICE_NAME=B\uFFFDro has" + why + ": set LC_ALL=C.UTF-8"),
        settings.notes());
  }

  @Test
  void invisibleCharactersAreVisibleInErrorLine() {
    assertTrue(
        error(keys("ECOFLOW_DEVICE_SN", "R331\u200BA"))
            .startsWith("ECOFLOW_DEVICE_SN=R331?A is not valid"));
  }

  @Test
  void serialNumbersAreConvertedToUpperCase() throws ConfigException {
    DeviceSettings devices =
        Settings.from(
                keys(
                    "ECOFLOW_DEVICE_SN", "r331a,B2,R331A,b2",
                    "ECOFLOW_DEVICE_NAME", "R331a=Shed,b2=Van",
                    "ECOFLOW_PRODUCT_NAME", "B2=DELTA",
                    "ECOFLOW_DEVICE_GENERAL_KEY", "r331A=x"))
            .devices();
    assertEquals(List.of("R331A", "B2"), devices.serials());
    assertEquals(Map.of("R331A", "Shed", "B2", "Van"), devices.names());
    assertEquals(Map.of("B2", "DELTA"), devices.products());
    assertEquals(Map.of("R331A", "x"), devices.generalKeys());
    assertEquals(
        Map.of("R331A", "Shed"),
        Settings.from(keys("ECOFLOW_DEVICE_NAME", "r331a=Shed")).devices().names());
    assertTrue(error(keys("ECOFLOW_DEVICE_SN", "r331\u00DF")).contains("one serial number"));
  }

  @Test
  void hostCanHavePort() throws ConfigException {
    assertEquals(
        List.of("localhost:8443"),
        Settings.from(keys("ECOFLOW_API_HOST", "localhost:8443")).http().hosts());
    assertEquals(
        List.of("a.example", "b.example:1"),
        Settings.from(keys("ECOFLOW_API_HOST", "a.example, b.example:1")).http().hosts());
    assertEquals(
        "api-a.ecoflow.com",
        Settings.from(keys("ECOFLOW_API_HOST", "api-a.ecoflow.com")).http().hosts().get(0));
  }

  @Test
  void caFileWithoutCertificatesIsRejected() throws Exception {
    Path file = Files.writeString(directory.resolve("ca.pem"), "nothing");
    Settings settings = Settings.from(keys("ECOFLOW_CA_FILE", file.toString()));

    String message =
        assertThrows(ConfigException.class, () -> settings.http().trust()).getMessage();

    assertTrue(message.startsWith("ECOFLOW_CA_FILE=" + file), message);
  }

  @Test
  void registriesHaveUniqueNamesAndTheirOwnVariables() throws Exception {
    Path token = Files.writeString(directory.resolve("token"), SECRET + "\n");
    RegistrySettings settings =
        Settings.from(
                keys(
                    "ECOFLOW_MICROMETER_REGISTRIES",
                    " otlp,com.example.Mine$Registry,, otlp",
                    "INFLUX_TOKEN_FILE",
                    token.toString()))
            .registries();

    assertEquals(List.of("otlp", "com.example.Mine$Registry"), settings.names());
    assertEquals(Optional.of(SECRET), settings.variables().value("INFLUX_TOKEN"));
    assertEquals(Optional.empty(), settings.variables().value("INFLUX_ORG"));
    assertFalse(settings.toString().contains(SECRET));
    assertEquals(
        "ECOFLOW_MICROMETER_REGISTRIES=otlp;influx is not valid: expected names such as otlp or"
            + " influx, or class names, separated by commas",
        error(keys("ECOFLOW_MICROMETER_REGISTRIES", "otlp;influx")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:9090", ":9090", "http://localhost", "[::1]", "a b"})
  void listenAddressesWithPortsOrUrlsAreRejected(String value) {
    assertEquals(
        "ECOFLOW_LISTEN_ADDRESS="
            + value
            + " is not valid: expected an address of this machine without a port, such as"
            + " 127.0.0.1",
        error(keys("ECOFLOW_LISTEN_ADDRESS", value)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1", "fe80::1:2", "::ffff:10.0.0.1", "localhost"})
  void listenAddressesCanBeIpv4Ipv6OrNames(String value) throws ConfigException {
    assertEquals(
        Optional.of(value), Settings.from(keys("ECOFLOW_LISTEN_ADDRESS", value)).page().address());
  }

  @Test
  void webConfigFileMustExist() {
    assertEquals(
        "ECOFLOW_WEB_CONFIG_FILE=/nowhere/web.yml is not valid: expected a readable file in the"
            + " format of Prometheus' web.yml, but it does not exist",
        error(keys("ECOFLOW_WEB_CONFIG_FILE", "/nowhere/web.yml")));
  }

  private static ProxySettings proxy(String... variables) throws ConfigException {
    return Settings.from(keys(variables)).http().proxy().orElseThrow();
  }

  @Test
  void noProxyWithoutVariable() throws ConfigException {
    Settings settings = Settings.from(keys("NO_PROXY", "*,[", "ALL_PROXY", "http://other:1"));

    assertEquals(Optional.empty(), settings.http().proxy());
    assertEquals(List.of(), settings.notes());
  }

  @Test
  void proxyPropertiesOfJavaAreReportedAsIgnored() throws ConfigException {
    String property = "https.proxyHost";
    System.setProperty(property, "proxy.example");
    try {
      assertEquals(
          List.of("-Dhttps.proxyHost has no effect: set HTTPS_PROXY"),
          Settings.from(keys()).notes());
      assertEquals(List.of(), Settings.from(keys("HTTPS_PROXY", "other:1")).notes());
    } finally {
      System.clearProperty(property);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "http://proxy.example:3128, proxy.example:3128",
    "HTTP://10.1.2.3:80/, 10.1.2.3:80",
    "proxy:3128, proxy:3128",
    "http://[fd00::1]:3128, [fd00::1]:3128"
  })
  void acceptsProxyWithHostAndPort(String value, String address) throws ConfigException {
    assertEquals(address + " (HTTPS_PROXY)", proxy("HTTPS_PROXY", value).label());
    assertEquals(Optional.empty(), proxy("HTTPS_PROXY", value).login());
  }

  @Test
  void lowerCaseAndHttpsVariablesHavePrecedence() throws ConfigException {
    String[] all = {
      "https_proxy", "a:1", "HTTPS_PROXY", "b:1", "http_proxy", "c:1", "HTTP_PROXY", "socks5://d"
    };

    assertEquals("a:1 (https_proxy)", proxy(all).label());
    all[1] = "";
    assertEquals("b:1 (HTTPS_PROXY)", proxy(all).label());
    all[3] = "";
    assertEquals("c:1 (http_proxy)", proxy(all).label());
    ProxySettings direct = proxy("HTTP_PROXY", "d:1", "no_proxy", "one", "NO_PROXY", "two");
    assertFalse(direct.isFor("one", 443));
    assertTrue(direct.isFor("two", 443));
  }

  @ParameterizedTest
  @CsvSource({
    "user:s3cret-value@proxy:1, user, s3cret-value",
    "http://u%40e%3A:s3cret%2Dvalue@proxy:1, u@e:, s3cret-value",
    "http://user:a+b%25@c:d/@proxy:1/, user, a+b%@c:d/",
    "http://user@proxy:1, user, ''",
    "http://%C3%BC:%E2%82%AC@proxy:1, \u00fc, \u20ac"
  })
  void proxyLoginIsPercentEncoded(String value, String user, String password)
      throws ConfigException {
    ProxySettings proxy = proxy("HTTPS_PROXY", value);

    assertEquals(new Settings.Credentials(user, password), proxy.login().orElseThrow());
    assertEquals("proxy:1 (HTTPS_PROXY)", proxy.label());
    assertFalse(proxy.toString().contains(SECRET));
  }

  @ParameterizedTest
  @CsvSource({
    "socks5://proxy:1080, socks5://proxy:1080",
    "https://proxy:3128, https://proxy:3128",
    "http://proxy, http://proxy",
    "http://proxy:, http://proxy:",
    "http://proxy:0, http://proxy:0",
    "http://proxy:65536, http://proxy:65536",
    "http://proxy:3128/path, http://proxy:3128/path",
    "http://fd00::1:3128, http://***",
    "http://:3128, http://***",
    "a b, ***",
    "socks5://user:s3cret-value@proxy:1080, socks5://***@proxy:1080",
    "http://user:s3cret-value@proxy, http://***@proxy",
    "user:s3cret-value@, ***@***",
    "http://user:s3cret-value%40proxy:3128, http://***",
    "http://user:s3cret-value%4@proxy:3128, http://***@proxy:3128",
    "http://user:s3cret-value%0a@proxy:3128, http://***@proxy:3128",
    "http://user:s3cret-value, http://***"
  })
  void invalidProxyIsReportedWithoutItsLogin(String value, String shown) {
    for (String name : List.of("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")) {
      assertEquals(
          name
              + "="
              + shown
              + " is not valid: expected http://host:port or http://user:password@host:port, with"
              + " special characters of both percent-encoded",
          error(keys(name, value)));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "* | api-e.ecoflow.com 10.0.0.1 ::1 |",
        "localhost | localhost LOCALHOST localhost. a.localhost | notlocalhost 127.0.0.1",
        "ecoflow.com | ecoflow.com api-e.ecoflow.com | otherecoflow.com ecoflow.com.example",
        ".ecoflow.com | ecoflow.com api-e.ecoflow.com | otherecoflow.com",
        "*.EcoFlow.com. | ecoflow.com api-e.ecoflow.com | otherecoflow.com",
        "one, two.example three | one a.two.example three | four",
        "api:8443 | api:8443 a.api:8443 | api api:443",
        "*:8883 | any:8883 | any",
        "127.0.0.1 | 127.0.0.1 | 127.0.0.2 localhost 1",
        "1 | 1 a.1 | 127.0.0.1",
        "127.0.0.1:8443 | 127.0.0.1:8443 | 127.0.0.1",
        "10.0.0.0/8 | 10.0.0.0 10.255.255.255 | 9.255.255.255 11.0.0.0 ::a00:1 ten.example",
        "10.1.2.3/24:8443 | 10.1.2.255:8443 | 10.1.2.255 10.1.3.0:8443",
        "0.0.0.0/0 | 192.0.2.1 | ::1 any.example",
        "::1 | ::1 0:0:0:0:0:0:0:1 | ::2 localhost",
        "[::1]:8443 | [::1]:8443 | ::1",
        "fd00::/8 | fd12::1 | fe80::1 253.0.0.1"
      })
  void noProxyListsHostsAddressesAndNetworks(String list, String direct, String proxied)
      throws ConfigException {
    ProxySettings proxy = proxy("HTTPS_PROXY", "proxy:1", "NO_PROXY", list);

    assertEquals(List.of(), proxy.direct().unusable());
    targets(direct).forEach((host, port) -> assertFalse(proxy.isFor(host, port), host));
    targets(proxied).forEach((host, port) -> assertTrue(proxy.isFor(host, port), host));
  }

  /** Parses hosts separated by spaces; the default port is that of HTTPS. */
  private static Map<String, Integer> targets(String text) {
    Map<String, Integer> targets = new HashMap<>();
    for (String target : text == null ? new String[0] : text.split(" ")) {
      boolean hasPort = target.matches("[^:]+:\\d+|\\[.*]:\\d+");
      int colon = target.lastIndexOf(':');
      targets.put(
          hasPort ? target.substring(0, colon) : target,
          hasPort ? Integer.parseInt(target.substring(colon + 1)) : 443);
    }
    return targets;
  }

  @Test
  void loopbackUsesProxyAndUnusableEntriesAreReported() throws ConfigException {
    ProxySettings all = proxy("HTTPS_PROXY", "proxy:1");
    List.of("localhost", "127.0.0.1", "::1").forEach(host -> assertTrue(all.isFor(host, 443)));

    Settings settings =
        Settings.from(keys("HTTPS_PROXY", "proxy:1", "no_proxy", "one,10.0.0.0/33,http://two,a*b"));
    assertEquals(
        List.of("10.0.0.0/33", "http://two", "a*b").stream()
            .map(
                entry ->
                    "no_proxy: "
                        + entry
                        + " has no effect: it is not a host, an address or a network")
            .toList(),
        settings.notes());
    assertFalse(settings.http().proxy().orElseThrow().isFor("one", 443));
  }

  @Nested
  class KafkaOfFleet {

    private Map<String, String> collector(String... more) {
      return with(
          account("ECOFLOW_ROLE", "collect", "ECOFLOW_KAFKA_BROKERS", "kafka-1:9092"), more);
    }

    private Map<String, String> server(String... more) {
      return with(
          Map.of("ECOFLOW_ROLE", "serve", "ECOFLOW_KAFKA_BROKERS", "[::1]:9092, kafka:9093"), more);
    }

    private String file(String content) throws Exception {
      return Files.writeString(directory.resolve("kafka.properties"), content).toString();
    }

    @Test
    void roleAllNeedsNoKafka() throws ConfigException {
      KafkaSettings kafka = Settings.from(account()).kafka();

      assertEquals(KafkaSettings.Role.ALL, kafka.role());
      assertEquals("", kafka.brokers());
    }

    @Test
    void collectorHasCredentials() throws ConfigException {
      Settings settings = Settings.from(collector());

      assertEquals(KafkaSettings.Role.COLLECT, settings.kafka().role());
      assertEquals("kafka-1:9092", settings.kafka().brokers());
      assertEquals("ecoflow.raw", settings.kafka().topic("raw"));
      assertEquals("me@example.com", settings.credentials().id());
      assertEquals(List.of(), settings.notes());
      Map<String, String> none = collector();
      none.remove("ECOFLOW_ACCOUNT_USER");
      none.remove("ECOFLOW_ACCOUNT_PASSWORD");
      assertTrue(error(none).startsWith("no credentials: "));
    }

    @Test
    void serverNeedsNoCredentials() throws ConfigException {
      Configuration configuration =
          Configuration.from(server("ECOFLOW_KAFKA_TOPICS", "a.b", "ECOFLOW_SERIES_TTL", "60.5"));

      Settings settings = configuration.process();
      assertTrue(settings.isServer());
      assertFalse(settings.hasAccountsFile());
      assertEquals(List.of(), configuration.accounts());
      assertEquals("", settings.credentials().id());
      assertEquals("[::1]:9092,kafka:9093", settings.kafka().brokers());
      assertEquals("ecoflow-serve", settings.kafka().group());
      assertEquals(Duration.ofMillis(60_500), settings.kafka().replay());
      assertEquals(List.of(), settings.notes());
    }

    @Test
    void credentialsOfServerHaveNoEffect() throws ConfigException {
      Map<String, String> variables =
          server(
              "ECOFLOW_ACCESS_KEY", "key",
              "ECOFLOW_SECRET_KEY_FILE", "/nowhere",
              "ECOFLOW_ACCOUNT_USER", "me@example.com",
              "ECOFLOW_ACCOUNTS_FILE", "/nowhere",
              "ECOFLOW_SHARD", "0/2");
      Configuration configuration = Configuration.from(variables);

      assertEquals(List.of(), configuration.accounts());
      assertEquals(
          List.of(
              "ECOFLOW_ACCESS_KEY has no effect with ECOFLOW_ROLE=serve",
              "ECOFLOW_SECRET_KEY_FILE has no effect with ECOFLOW_ROLE=serve",
              "ECOFLOW_ACCOUNT_USER has no effect with ECOFLOW_ROLE=serve",
              "ECOFLOW_ACCOUNTS_FILE has no effect with ECOFLOW_ROLE=serve",
              "ECOFLOW_SHARD has no effect with ECOFLOW_ROLE=serve"),
          configuration.process().notes());
      assertEquals(List.of(), Configuration.explain(variables));
      assertTrue(
          Settings.explain(variables)
              .contains(new Variable("ECOFLOW_ACCOUNT_USER", "-", "derived: not used by servers")));
    }

    @Test
    void variablesOfOtherRolesHaveNoEffect() throws Exception {
      assertEquals(
          List.of(
              "ECOFLOW_KAFKA_BROKERS has no effect with ECOFLOW_ROLE=all",
              "ECOFLOW_KAFKA_PROPERTIES has no effect with ECOFLOW_ROLE=all"),
          Settings.from(
                  account("ECOFLOW_KAFKA_BROKERS", "a:1", "ECOFLOW_KAFKA_PROPERTIES", "/nowhere"))
              .notes());
      assertEquals(
          List.of(
              "ECOFLOW_KAFKA_GROUP has no effect with ECOFLOW_ROLE=collect",
              "ECOFLOW_REPLAY has no effect with ECOFLOW_ROLE=collect"),
          Settings.from(collector("ECOFLOW_KAFKA_GROUP", "x", "ECOFLOW_REPLAY", "60")).notes());
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "ECOFLOW_ROLE | Collector | all, collect or serve",
          "ECOFLOW_KAFKA_BROKERS | kafka | host:port of one or more Kafka brokers",
          "ECOFLOW_KAFKA_BROKERS | kafka:0 | host:port of one or more Kafka brokers",
          "ECOFLOW_KAFKA_BROKERS | kafka:65536 | host:port of one or more Kafka brokers",
          "ECOFLOW_KAFKA_BROKERS | kafka:9092, | host:port of one or more Kafka brokers",
          "ECOFLOW_KAFKA_BROKERS | kafka:9092;other:9092 | host:port of one or more Kafka brokers",
          "ECOFLOW_KAFKA_BROKERS | SASL_SSL://kafka:9092 | host:port of one or more Kafka brokers",
          "ECOFLOW_KAFKA_TOPICS | eco/flow | 1 to 200 letters, digits, '.', '_' and '-'",
          "ECOFLOW_KAFKA_GROUP | a b | 1 to 200 letters, digits, '.', '_' and '-'",
          "ECOFLOW_REPLAY | -1 | seconds from 0 to 8640000"
        })
    void invalidValuesAreReported(String name, String value, String allowed) {
      String message = error(collector(name, value));

      assertTrue(
          message.startsWith(name + "=" + value + " is not valid: expected " + allowed), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"collect", "serve"})
    void brokersAreRequired(String role) {
      assertEquals(
          "ECOFLOW_ROLE=%s requires ECOFLOW_KAFKA_BROKERS: set it to the addresses of Kafka brokers, such as kafka-1:9092,kafka-2:9092"
              .formatted(role),
          error(account("ECOFLOW_ROLE", role)));
    }

    @Test
    void propertiesFileMustBeReadable() throws Exception {
      String name = "ECOFLOW_KAFKA_PROPERTIES";
      String start = name + "=%s is not valid: expected a file with properties, but it ";

      assertEquals(
          start.formatted("/nowhere") + "does not exist", error(collector(name, "/nowhere")));
      assertEquals(
          start.formatted(directory) + "is a directory",
          error(collector(name, directory.toString())));
      assertEquals(
          start.formatted("/dev/null") + "is not a regular file",
          error(collector(name, "/dev/null")));
      Path file = Files.write(directory.resolve("latin"), new byte[] {'a', '=', (byte) 0xe9});
      assertTrue(
          error(collector(name, file.toString()))
              .endsWith("a properties file in UTF-8, with valid escape sequences"));
      assertTrue(error(collector(name, file("a=\\u12"))).endsWith("with valid escape sequences"));
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "key.serializer=x | key.serializer cannot be set, because the routes depend on its value: remove it",
          "acks=0 | acks cannot be set, because the routes depend on its value: remove it",
          "bootstrap.servers=x:1 | bootstrap.servers cannot be set: set ECOFLOW_KAFKA_BROKERS instead",
          "group.id=x | group.id cannot be set: set ECOFLOW_KAFKA_GROUP instead"
        })
    void propertiesOfTheRoutesAreRejected(String line, String problem) throws Exception {
      String file = file(line);

      assertEquals(
          "ECOFLOW_KAFKA_PROPERTIES=" + file + ": " + problem,
          error(collector("ECOFLOW_KAFKA_PROPERTIES", file)));
    }

    @Test
    void propertiesAreExplainedWithoutSecrets() throws Exception {
      String file =
          file(
              """
              security.protocol=SASL_SSL
              buffer.memory = 1048576
              sasl.jaas.config=module required password="%1$s";
              ssl.key.password=%1$s
              ssl.keystore.key=%1$s
              ssl.keystore.location=/etc/store
              sasl.login.%1$s=https://me:%1$s@auth
              """
                  .formatted(SECRET)
                  .replace("login." + SECRET, "login.callback.url"));
      Map<String, String> variables = collector("ECOFLOW_KAFKA_PROPERTIES", file);

      Settings settings = Settings.from(variables);
      assertEquals("1048576", settings.kafka().properties().get("buffer.memory"));
      assertEquals(SECRET, settings.kafka().properties().get("ssl.key.password"));
      assertFalse(settings.toString().contains(SECRET), settings::toString);
      Map<String, String> shown = new HashMap<>();
      for (Variable variable : Settings.explain(variables)) {
        if (variable.source().equals("file " + file)) {
          shown.put(variable.name().replace("ECOFLOW_KAFKA_PROPERTIES ", ""), variable.value());
        }
      }
      assertEquals(
          Map.of(
              "security.protocol", "SASL_SSL",
              "buffer.memory", "1048576",
              "sasl.jaas.config", "***",
              "ssl.key.password", "***",
              "ssl.keystore.key", "***",
              "ssl.keystore.location", "/etc/store",
              "sasl.login.callback.url", "***"),
          shown);
    }
  }
}
