package ecoflow.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.config.Settings.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccountsFileTest {

  private static final String SECRET = "s3cret-value";
  private static final String VARIABLE = "ECOFLOW_ACCOUNTS_FILE";

  @TempDir private Path directory;
  private final Map<String, String> variables = new HashMap<>();
  private Path file;

  @BeforeEach
  void createFiles() throws IOException {
    file = directory.resolve("accounts.yml");
    variables.put(VARIABLE, file.toString());
    Files.writeString(directory.resolve("password"), SECRET + "\n");
    Files.writeString(directory.resolve("empty"), "\n");
    Files.write(directory.resolve("latin"), new byte[] {(byte) 0xE4});
    Files.write(directory.resolve("large"), new byte[100_000]);
  }

  private Configuration read(String yaml) throws ConfigException, IOException {
    Files.writeString(file, yaml);
    return Configuration.from(variables);
  }

  private List<AccountSettings> accounts(String yaml) throws ConfigException, IOException {
    return read(yaml).accounts();
  }

  /** The only account of a file. */
  private AccountSettings account(String yaml) throws ConfigException, IOException {
    List<AccountSettings> accounts = accounts(yaml);
    assertEquals(1, accounts.size());
    return accounts.get(0);
  }

  private String error(String yaml) throws IOException {
    Files.writeString(file, yaml);
    return error();
  }

  private String error() {
    String message =
        assertThrows(ConfigException.class, () -> Configuration.from(variables)).getMessage();
    assertFalse(message.contains("\n"), message);
    assertFalse(message.contains(SECRET), message);
    return message.replace(directory.toString(), "DIR");
  }

  @Test
  void readsTheExampleOfTheDocumentation() throws Exception {
    Files.writeString(directory.resolve("keys.access"), "access");
    Files.writeString(directory.resolve("keys.secret"), SECRET);

    List<AccountSettings> accounts =
        accounts(
            """
            accounts:
              - name: berlin-17
                mode: device
                user: me@example.com
                password_file: password
                devices: all
                api_host: api-a.ecoflow.com
                labels: {site: Berlin, tenant: acme, customer: 007}
              - name: keys
                mode: open
                access_key_file: keys.access
                secret_key_file: %s
                devices: [r331a, R331B]
                device_name: {R331A: 'Shed, left', R331B: a=b}
                push_lead: 60
            """
                .formatted(directory.resolve("keys.secret")));

    AccountSettings berlin = accounts.get(0);
    assertEquals("berlin-17", berlin.name());
    assertEquals(Map.of("site", "Berlin", "tenant", "acme", "customer", "007"), berlin.labels());
    assertEquals(Mode.DEVICE, berlin.settings().mode());
    assertEquals(
        new Settings.Credentials("me@example.com", SECRET), berlin.settings().credentials());
    assertTrue(berlin.settings().devices().areAllServed());
    assertEquals("api-a.ecoflow.com", berlin.settings().http().hosts().get(0));
    Settings keys = accounts.get(1).settings();
    assertEquals(Mode.OPEN, keys.mode());
    assertEquals(new Settings.Credentials("access", SECRET), keys.credentials());
    assertEquals(List.of("R331A", "R331B"), keys.devices().serials());
    assertEquals(Map.of("R331A", "Shed, left", "R331B", "a=b"), keys.devices().names());
    assertEquals(Duration.ofSeconds(60), keys.devices().pushLead());
    assertEquals(Map.of(), accounts.get(1).labels());
  }

  static final List<String> GOOD =
      List.of(
          // As YAML flow, with other types and quotes.
          "accounts: [{name: 17, user: u, password: 0123}]",
          "{\"accounts\": [{\"name\": \"a\", \"user\": \"u\", \"password\": \"p\"}]}",
          "---\naccounts:\n- {name: a.b_c-D, access_key: k, secret_key: 's', mode: rest}\n...\n",
          "accounts:\n- name: a\n  user: u\n  password: |\n    p\n  max_devices: 1\n#",
          "accounts:\n- name: a\n  user: u\n  password: p\n  devices: 'A1, b2'\n  labels: {}",
          "accounts:\n- &x {name: a, user: u, password: p, labels: &l {site: b}}\n"
              + "- {name: b, user: v, password: p, labels: *l}\n",
          "accounts:\n- {name: a, user: u, password: p}\n- {name: b, user: u, password: p, mode: device}",
          "\uFEFFaccounts: [{name: a, user: u, password: p, labels: {_a: \u00E4\u00F6}}]",
          "accounts: [{name: a, user: u, password: p, labels: }]");

  @ParameterizedTest
  @FieldSource("GOOD")
  void readsOtherSpellings(String yaml) throws Exception {
    List<AccountSettings> accounts = accounts(yaml);
    assertFalse(accounts.isEmpty());
    accounts.forEach(account -> assertEquals(List.of(), account.settings().notes()));
  }

  /**
   * A mistake in the file.
   *
   * @param error the message after the path of the directory
   */
  record Mistake(String yaml, String error) {}

  private static final String LINES = "accounts:\n- name: a\n  user: u\n  password: p\n";

  private static Mistake mistake(String line, String error) {
    return new Mistake(LINES + "  " + line + "\n", "DIR/accounts.yml:5: " + error);
  }

  private static Mistake file(String yaml, String error) {
    return new Mistake(yaml, "DIR/accounts.yml:" + error);
  }

  private static final String TEXT = "the value is empty";
  private static final String LABEL =
      "expected a label name: letters, digits and '_', not starting with a digit or __";
  private static final String RESERVED = "the exporter or Prometheus sets this label";
  private static final String LABEL_VALUE =
      "expected 1 to 200 characters without control characters";
  private static final String NAME = "1 to 63 letters, digits, '.', '_' and '-'";
  private static final String NO_CREDENTIALS =
      "no credentials: set access_key and secret_key for the modes rest and open, or user and"
          + " password for the modes mqtt and device";

  static final List<Mistake> MISTAKES =
      List.of(
          // The file
          file("", "1: accounts: expected a list with at least one account"),
          file("# none\n", "1: accounts: expected a list with at least one account"),
          file("accounts:\n", "1: accounts: expected a list with at least one account"),
          file("\naccounts: []\n", "2: accounts: expected a list with at least one account"),
          file("accounts: {a: b}\n", "1: accounts: expected a list"),
          file("accounts: all\n", "1: accounts: expected a list"),
          file("accounts:\n- a\n", "2: accounts: expected a list of mappings"),
          file("accounts:\n-\n", "2: accounts: expected a list of mappings"),
          file("- name: a\n", "1: expected a mapping"),
          file("text\n", "1: expected a mapping"),
          file(
              LINES + "defaults: {mode: device}\n", "5: unknown field defaults; expected accounts"),
          file(LINES + "accounts: []\n", "5: found duplicate key accounts"),
          file(LINES + "---\naccounts: []\n", "5: but found another document"),
          file("accounts:\n- name: a\n   user: u\n", "3: mapping values are not allowed here"),
          file("accounts:\n- {name: a\n", "3: expected ',' or '}', but got <stream end>"),
          file("a: \u0007\n", "1: the character U+0007 is not allowed"),
          file("accounts:\n- {name: a, ? [b] : c}\n", "2: expected a string as the key"),
          file("[".repeat(100_000), "1: the nesting is too deep"),
          // Secrets that YAML reads as an alias or a tag
          mistake(
              "secret_key: *" + SECRET,
              "found undefined alias: a value that starts with * must be in quotes"),
          mistake(
              "secret_key: !" + SECRET,
              "tags are not supported: a value that starts with ! must be in quotes"),
          mistake("secret_key: &" + SECRET, "secret_key: " + TEXT),
          mistake(
              "secret_key: !" + SECRET + "!x",
              "tags are not supported: a value that starts with ! must be in quotes"),
          mistake(
              "secret_key: \"\\U" + SECRET + "\"",
              "found an invalid escape sequence in double quotes"),
          // Names
          file("accounts:\n- user: u\n  password: p\n", "2: name is not set: expected " + NAME),
          file("accounts:\n- user: u\n  name:\n", "3: name is not set: expected " + NAME),
          file("accounts:\n- name: a b\n", "2: name=a b is not valid: expected " + NAME),
          file(
              "accounts:\n- name: M\u00FCnchen\n",
              "2: name=M\u00FCnchen is not valid: expected " + NAME),
          file(
              "accounts:\n- name: " + "x".repeat(64) + "\n",
              "2: name=" + "x".repeat(64) + " is not valid: expected " + NAME),
          file("accounts:\n- name: [a]\n", "2: name: expected a string"),
          file(
              LINES + "- user: v\n  password: p\n  name: a\n",
              "7: name=a is already used in line 2"),
          // Keys
          mistake("name: b", "found duplicate key name"),
          mistake("mqtt_timout: 5", "unknown field mqtt_timout; did you mean 'mqtt_timeout'?"),
          mistake("MQTT_TIMEOUT: 5", "unknown field MQTT_TIMEOUT; did you mean 'mqtt_timeout'?"),
          mistake(
              "ecoflow_push_lead: 5", "unknown field ecoflow_push_lead; did you mean 'push_lead'?"),
          mistake("api_type: mqtt", "unknown field api_type; did you mean 'mode'?"),
          mistake("device_sn: all", "unknown field device_sn; did you mean 'devices'?"),
          mistake("zzz: 5", "unknown field zzz"),
          mistake(
              "exporter_port: 9090",
              "exporter_port is a setting of the process: set EXPORTER_PORT in the environment"),
          mistake(
              "ca_file: ca.pem",
              "ca_file is a setting of the process: set ECOFLOW_CA_FILE in the environment"),
          mistake(
              "METRICS_PREFIX: x",
              "METRICS_PREFIX is a setting of the process: set METRICS_PREFIX in the environment"),
          // Credentials
          file("accounts:\n\n- name: a\n", "3: " + NO_CREDENTIALS),
          file(
              "accounts:\n- name: a\n  user: u\n",
              "3: password is not set, but user is: set both or neither"),
          file(
              "accounts:\n- name: a\n  password_file: password\n",
              "3: user is not set, but password is: set both or neither"),
          file(
              "accounts:\n- name: a\n  secret_key: s\n",
              "3: access_key is not set, but secret_key is: set both or neither"),
          file(
              LINES + "  access_key: k\n  secret_key: s\n",
              "5: access_key/secret_key and user/password are both set: set the keys for the modes rest and open, or the account for the modes mqtt and device"),
          file(
              LINES + "  password_file: password\n",
              "4: password and password_file are both set: set one of them"),
          mistake(
              "mode: rest",
              "mode=rest requires access_key and secret_key; with an account, set it to mqtt or device"),
          file(
              "accounts:\n- name: a\n  access_key: k\n  secret_key: s\n  mode: Device\n",
              "5: mode=device requires user and password; with access_key and secret_key, set it to rest or open"),
          mistake("mode: fast", "mode=fast is not valid: expected rest, open, mqtt or device"),
          mistake("mode: [mqtt]", "mode: expected a string"),
          mistake("mode:", "mode: " + TEXT),
          file("accounts:\n- {name: a, password: p, user: ' '}\n", "2: user: " + TEXT),
          file(
              "accounts:\n- name: a\n  password: "
                  + SECRET
                  + "\n  user: \""
                  + SECRET
                  + " \\u00A0x\"\n",
              "4: user=*** is not valid: character 13 is U+0020; a user must not contain white space or invisible characters"),
          file(
              "accounts:\n- name: a\n  access_key: k\n  secret_key: \"" + SECRET + "\\u00E4\"\n",
              "4: secret_key=*** is not valid: character 13 is U+00E4; a key must consist of printable ASCII characters"),
          file(
              "accounts:\n- name: a\n  user: u\n  password: {" + SECRET + ": x}\n",
              "4: password: expected a string"),
          // Secret files
          file(
              "accounts:\n- name: a\n  user: u\n  password_file: none\n",
              "4: password_file=DIR/none is not valid: expected a file with the secret, but it does not exist"),
          file(
              "accounts:\n- name: a\n  user: u\n  password_file: .\n",
              "4: password_file=DIR/. is not valid: expected a file with the secret, but it is a directory"),
          file(
              "accounts:\n- name: a\n  user: u\n  password_file: large\n",
              "4: password_file=DIR/large is not valid: expected a regular file of at most 64 KiB"),
          file(
              "accounts:\n- name: a\n  user: u\n  password_file: empty\n",
              "4: password_file=DIR/empty is not valid: expected a file that is not empty"),
          file(
              "accounts:\n- name: a\n  user: u\n  password_file: latin\n",
              "4: password_file=DIR/latin is not valid: expected a text file in UTF-8"),
          file(
              "accounts:\n- name: a\n  user: u\n  password_file: \"a\\0b\"\n",
              "4: password_file=a?b is not valid: expected the path of a file"),
          // Devices and names
          mistake("devices: []", "devices: " + TEXT),
          mistake("devices: ['']", "devices: " + TEXT),
          mistake("devices: {R331A: x}", "devices: expected a string"),
          mistake("devices: [[R331A]]", "devices: expected a list"),
          mistake(
              "devices: R33 1A",
              "devices=R33 1A is not valid: expected one serial number, several separated by commas, or \"all\" for every device"),
          mistake(
              "devices: [R331A, all]",
              "devices=R331A,all is not valid: expected one serial number, several separated by commas, or \"all\" for every device"),
          mistake(
              "device_name: Shed",
              "device_name=Shed is not valid: expected SN=value,SN=value for several devices"),
          mistake("device_name: {R331A: [x]}", "device_name.R331A: expected a string"),
          mistake(
              "device_name: {R331A: 'a, b=c'}",
              "device_name.R331A: expected a text without a comma that precedes a word and '='"),
          mistake("device_name: {R331A: }", "device_name.R331A: " + TEXT),
          file(
              LINES + "  devices: R331A\n  product_name: {R331B: x, R331A: y}\n",
              "6: product_name.R331B: expected a serial number listed in devices"),
          file(
              LINES
                  + "  devices: [R331A, R331B]\n  device_general_key:\n    r331b: x\n    R331C: y\n",
              "8: device_general_key.R331C: expected a serial number listed in devices"),
          // Labels
          mistake("labels: site", "labels: expected a mapping"),
          mistake("labels: [site]", "labels: expected a mapping"),
          mistake("labels: {si-te: x}", "labels.si-te: " + LABEL),
          mistake("labels: {__name__: x}", "labels.__name__: " + LABEL),
          mistake("labels: {7: x}", "labels.7: " + LABEL),
          mistake("labels: {account: x}", "labels.account: " + RESERVED),
          mistake("labels: {instance: x}", "labels.instance: " + RESERVED),
          file(LINES + "  labels:\n    site: x\n    device: y\n", "7: labels.device: " + RESERVED),
          mistake("labels: {site: }", "labels.site: " + LABEL_VALUE),
          mistake("labels: {site: " + "x".repeat(201) + "}", "labels.site: " + LABEL_VALUE),
          mistake("labels: {site: \"a\\nb\"}", "labels.site: " + LABEL_VALUE),
          mistake("labels: {site: [x]}", "labels.site: expected a string"),
          mistake(
              "labels: {"
                  + Stream.iterate(1, i -> i + 1)
                      .limit(21)
                      .map(i -> "l" + i + ": x")
                      .collect(Collectors.joining(", "))
                  + "}",
              "labels: expected at most 20 labels"),
          // Values that variables reject as well
          mistake(
              "max_devices: many",
              "max_devices=many is not valid: expected a whole number from 1 to 1000000"),
          mistake(
              "collecting_interval: 10s",
              "collecting_interval=10s is not valid: expected seconds from 0.1 to 86400"),
          mistake(
              "push_lead: .inf", "push_lead=.inf is not valid: expected seconds from 0 to 3600"),
          mistake(
              "api_host: https://x",
              "api_host=https://x is not valid: expected a host name, with :port if needed, without https:// and without a path"),
          mistake(
              "api_host: x:99999",
              "api_host=x:99999 is not valid: expected a port from 1 to 65535"),
          mistake(
              "mqtt_client_id: a b",
              "mqtt_client_id=a b is not valid: expected up to 128 letters, digits, _ and -"),
          mistake(
              "max_devices: 0",
              "max_devices=0 is not valid: expected a whole number from 1 to 1000000"),
          mistake("series_ttl: '\"900\"'", "series_ttl=\"900\" has quotes around it: remove them"),
          // Accounts that exclude each other
          file(
              LINES + "  devices: [A, B]\n- {name: b, user: u, password: p, devices: 'b,a'}\n",
              "6: account b has the same mode, credentials and devices as the account in line 2"),
          file(
              LINES + "- name: b\n  user: u\n  password: p\n  devices: all\n",
              "5: account b has the same mode, credentials and devices as the account in line 2"),
          file(
              LINES
                  + "  mqtt_client_id: x\n- name: b\n  user: v\n  password: p\n  mqtt_client_id: x\n",
              "9: mqtt_client_id=x is already used in line 5"));

  @ParameterizedTest
  @FieldSource("MISTAKES")
  void mistakesAreReportedWithTheirLine(Mistake mistake) throws IOException {
    assertEquals(mistake.error(), error(mistake.yaml()));
  }

  @Test
  void thereAreManyMistakes() {
    assertTrue(MISTAKES.size() >= 40, () -> "" + MISTAKES.size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ECOFLOW_ACCESS_KEY access_key",
        "ECOFLOW_ACCESS_KEY_FILE access_key_file",
        "ECOFLOW_SECRET_KEY secret_key",
        "ECOFLOW_SECRET_KEY_FILE secret_key_file",
        "ECOFLOW_ACCOUNT_USER user",
        "ECOFLOW_ACCOUNT_USER_FILE user_file",
        "ECOFLOW_ACCOUNT_PASSWORD password",
        "ECOFLOW_ACCOUNT_PASSWORD_FILE password_file",
        "ECOFLOW_DEVICE_SN devices",
        "ECOFLOW_MQTT_CLIENT_ID mqtt_client_id"
      })
  void credentialsOfTheEnvironmentExcludeTheFile(String names) throws Exception {
    String variable = names.split(" ")[0];
    variables.put(variable, SECRET);

    assertEquals(
        variable
            + " and ECOFLOW_ACCOUNTS_FILE are both set: set "
            + names.split(" ")[1]
            + " of each account in the file instead",
        error(LINES));
    assertThrows(ConfigException.class, () -> Settings.from(variables));
    assertThrows(ConfigException.class, () -> Settings.explain(variables));

    variables.put(variable, " ");
    assertEquals(1, Configuration.from(variables).accounts().size());
  }

  @Test
  void fileMustBeReadable() throws Exception {
    assertEquals(
        "ECOFLOW_ACCOUNTS_FILE=DIR/accounts.yml is not valid: expected a readable file with"
            + " accounts, but it does not exist",
        error());
    variables.put(VARIABLE, directory.toString());
    assertEquals(
        "ECOFLOW_ACCOUNTS_FILE=DIR is not valid: expected a readable file with accounts, but it is"
            + " a directory",
        error());
    variables.put(VARIABLE, directory.resolve("latin").toString());
    assertEquals(
        "ECOFLOW_ACCOUNTS_FILE=DIR/latin is not valid: expected a text file in UTF-8", error());
    Path pipe = directory.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    variables.put(VARIABLE, pipe.toString());
    assertEquals(
        "ECOFLOW_ACCOUNTS_FILE=DIR/pipe is not valid: expected a readable file with accounts, but it is"
            + " not a regular file",
        error());
    variables.put(VARIABLE, file.toString());
    assertEquals(
        "DIR/accounts.yml:4: password_file=DIR/pipe is not valid: expected a regular file of at"
            + " most 64 KiB",
        error("accounts:\n- name: a\n  user: u\n  password_file: pipe\n"));
  }

  @Test
  void errorsInTheEnvironmentNameTheVariable() throws IOException {
    variables.put("MQTT_TIMEOUT", "soon");
    String yaml = LINES + "  mqtt_timeout: 5\n";
    assertEquals("MQTT_TIMEOUT=soon is not valid: expected seconds from 0.1 to 86400", error(yaml));
    variables.remove("MQTT_TIMEOUT");
    variables.put("ECOFLOW_API_TYPE", "fast");
    assertEquals(
        "ECOFLOW_API_TYPE=fast is not valid: expected rest, open, mqtt or device", error(yaml));
    variables.put("ECOFLOW_API_TYPE", "device");
    assertEquals("DIR/accounts.yml:2: " + NO_CREDENTIALS, error("accounts:\n- name: a\n"));
    variables.remove("ECOFLOW_API_TYPE");
    variables.put("ECOFLOW_DEVICE_NAME", "Shed");
    assertEquals(
        "ECOFLOW_DEVICE_NAME=Shed is not valid: expected SN=value,SN=value for several devices",
        error(yaml));
  }

  @Test
  void modeOfTheEnvironmentIsTheDefaultOfFittingAccounts() throws Exception {
    String yaml =
        "accounts:\n"
            + "- {name: a, user: u, password: p}\n"
            + "- {name: b, access_key: k, secret_key: s}\n"
            + "- {name: c, user: u, password: p, mode: mqtt, devices: X}\n"
            + "- {name: d, access_key: k, secret_key: s, mode: rest, devices: X}\n";
    Map<String, List<Mode>> expected =
        Map.of(
            "", List.of(Mode.MQTT, Mode.REST, Mode.MQTT, Mode.REST),
            "mqtt", List.of(Mode.MQTT, Mode.REST, Mode.MQTT, Mode.REST),
            "device", List.of(Mode.DEVICE, Mode.REST, Mode.MQTT, Mode.REST),
            "rest", List.of(Mode.MQTT, Mode.REST, Mode.MQTT, Mode.REST),
            "Open", List.of(Mode.MQTT, Mode.OPEN, Mode.MQTT, Mode.REST));
    for (Map.Entry<String, List<Mode>> given : expected.entrySet()) {
      variables.put("ECOFLOW_API_TYPE", given.getKey());
      List<AccountSettings> accounts = accounts(yaml);
      assertEquals(
          given.getValue(),
          accounts.stream().map(account -> account.settings().mode()).toList(),
          given.getKey());
      accounts.forEach(account -> assertEquals(List.of(), account.settings().notes()));
    }
  }

  @Test
  void environmentHasTheDefaults() throws Exception {
    variables.put("COLLECTING_INTERVAL", "20");
    variables.put("HTTP_TIMEOUT", "7");
    variables.put("EXPORTER_PORT", "9191");
    variables.put("ECOFLOW_DEVICE_NAME", "R331A=Shed,R331B=Barn");
    Configuration configuration =
        read(
            LINES
                + "  devices: R331A\n"
                + "- {name: b, user: v, password: p, devices: R331B, collecting_interval: 30,"
                + " device_name: Attic}\n");
    Settings first = configuration.accounts().get(0).settings();
    Settings second = configuration.accounts().get(1).settings();
    assertEquals(Duration.ofSeconds(20), first.devices().collectingInterval());
    assertEquals("Shed", first.devices().names().get("R331A"));
    assertEquals(Duration.ofSeconds(30), second.devices().collectingInterval());
    assertEquals(Map.of("R331B", "Attic"), second.devices().names());
    assertEquals(Duration.ofSeconds(7), second.http().timeout());
    assertEquals(9191, configuration.process().page().port());
    assertEquals(new Settings.Credentials("", ""), configuration.process().credentials());
    // Accounts share what is equal, and what they cannot override.
    assertSame(first.http(), second.http());
    assertSame(first.mqtt(), second.mqtt());
    assertSame(configuration.process().page(), first.page());
    assertSame(configuration.process().registries(), second.registries());
  }

  @Test
  void notesNameTheLine() throws Exception {
    variables.put("ECOFLOW_ROUTES_RELOAD", "true");
    variables.put("NO_PROXY", "http://x");
    variables.put("ECOFLOW_DEVICES_JSON", "dev\uFFFDces.json");
    variables.put("HTTPS_PROXY", "proxy:1");
    Files.writeString(directory.resolve("quoted"), "'" + SECRET + "'");
    Configuration configuration =
        read("accounts:\n- name: a\n  user: u\n  password_file: quoted\n");
    Settings account = configuration.accounts().get(0).settings();
    assertEquals(
        List.of(
            file.toString()
                + ":4: password_file="
                + directory.resolve("quoted")
                + ": the content of the file has quotes around it, which are sent as part of the"
                + " password: remove them if they do not belong to it"),
        account.notes());
    assertEquals(3, configuration.process().notes().size());
  }

  @Test
  void environmentWithoutFileHasOneAccount() throws ConfigException {
    Map<String, String> single =
        Map.of("ECOFLOW_ACCESS_KEY", "k", "ECOFLOW_SECRET_KEY", "s", "ECOFLOW_DEVICE_SN", "all");
    Configuration configuration = Configuration.from(single);
    assertEquals(1, configuration.accounts().size());
    assertEquals("", configuration.accounts().get(0).name());
    assertEquals(Map.of(), configuration.accounts().get(0).labels());
    assertSame(configuration.process(), configuration.accounts().get(0).settings());
    assertTrue(configuration.file().isEmpty());
    assertEquals(List.of(), Configuration.explain(single));
  }

  @Test
  void tableContainsAllVariables() throws Exception {
    read(LINES);
    Set<String> known = new TreeSet<>(AccountKeys.OF_PROCESS);
    AccountKeys.VARIABLES.values().stream()
        .map(variable -> variable.replaceFirst("_FILE$", ""))
        .forEach(known::add);
    Set<String> explained =
        Settings.explain(variables).stream()
            .map(Variable::name)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(explained, known);
    assertEquals(
        Set.of(),
        AccountKeys.OF_PROCESS.stream()
            .filter(AccountKeys.VARIABLES::containsValue)
            .collect(Collectors.toSet()));
  }

  /** The parser has default limits of 3 MiB and 50 aliases of collections. */
  @Test
  void fileCanBeLargeAndHaveManyAliases() throws Exception {
    StringBuilder yaml = new StringBuilder("accounts:\n");
    yaml.append("- {name: a, user: u, password: p, labels: &common {site: x}}\n");
    for (int i = 0; i < 200; i++) {
      yaml.append("- {name: a" + i + ", user: u" + i + ", password: p, labels: *common}\n");
      yaml.append("# ").append("x".repeat(20_000)).append('\n');
    }
    assertTrue(yaml.length() > 3_500_000);
    List<AccountSettings> accounts = accounts(yaml.toString());
    assertEquals(201, accounts.size());
    accounts.forEach(account -> assertSame(accounts.get(0).labels(), account.labels()));
  }

  // Changes

  private AccountsFile opened(String yaml) throws ConfigException, IOException {
    return read(yaml).file().orElseThrow();
  }

  /** Writes a file whose fingerprint differs even within the resolution of the clock. */
  private void replace(Path target, String text) throws IOException {
    Path other = Files.writeString(directory.resolve("new"), text);
    Files.move(other, target, StandardCopyOption.REPLACE_EXISTING);
  }

  /** The result of the check after the one that can find the change. */
  private static boolean isChanged(AccountsFile accounts) {
    assertFalse(accounts.needsRead());
    return accounts.needsRead();
  }

  @Test
  void fileIsNotReadBeforeItsWriterHasFinished() throws Exception {
    AccountsFile accounts = opened(LINES);
    for (int part = 0; part < 3; part++) {
      replace(file, LINES + "#".repeat(part));
      assertFalse(accounts.needsRead());
    }
    assertTrue(accounts.needsRead());
    assertFalse(accounts.needsRead());
  }

  @Test
  void changedAccountsDiffer() throws Exception {
    String two = "- name: b\n  user: v\n  password: p\n";
    AccountsFile accounts = opened(LINES + two);
    List<AccountSettings> before = accounts.accounts();
    assertFalse(isChanged(accounts));

    replace(file, "# moved\n" + LINES + two.replace("password: p", "password: q"));
    assertTrue(isChanged(accounts));
    assertSame(before, accounts.accounts());
    List<AccountSettings> after = accounts.read();
    assertFalse(isChanged(accounts));
    assertSame(after, accounts.accounts());
    assertEquals(before.get(0), after.get(0));
    assertNotEquals(before.get(1), after.get(1));
    assertEquals(before.get(1).name(), after.get(1).name());

    replace(file, LINES + "  labels: {site: x}\n" + two.replace("v", "w"));
    assertTrue(isChanged(accounts));
    assertNotEquals(before.get(0), accounts.read().get(0));
  }

  @Test
  void brokenEditKeepsTheAccountsAndIsReportedOnce() throws Exception {
    AccountsFile accounts = opened(LINES);
    List<AccountSettings> before = accounts.accounts();
    replace(file, LINES + "  nonsense: 1\n");
    assertTrue(isChanged(accounts));
    assertTrue(
        assertThrows(ConfigException.class, accounts::read)
            .getMessage()
            .endsWith("accounts.yml:5: unknown field nonsense"));
    assertFalse(isChanged(accounts));
    assertSame(before, accounts.accounts());

    Files.delete(file);
    assertTrue(isChanged(accounts));
    assertFalse(isChanged(accounts));
    assertTrue(
        assertThrows(ConfigException.class, accounts::read).getMessage().contains("readable file"));
    replace(file, LINES);
    assertTrue(isChanged(accounts));
    assertEquals(before, accounts.read());
  }

  @Test
  void secretFilesAreWatched() throws Exception {
    AccountsFile accounts = opened("accounts:\n- name: a\n  user: u\n  password_file: password\n");
    replace(directory.resolve("password"), "other");
    assertTrue(isChanged(accounts));
    assertFalse(isChanged(accounts));
    assertEquals("other", accounts.read().get(0).settings().credentials().secret());

    Files.delete(directory.resolve("password"));
    assertTrue(isChanged(accounts));
    assertThrows(ConfigException.class, accounts::read);
    assertFalse(isChanged(accounts));
    replace(directory.resolve("password"), "third");
    assertTrue(isChanged(accounts));
    assertEquals("third", accounts.read().get(0).settings().credentials().secret());
  }

  /** A secret file that is named in a broken edit, and created after it. */
  @Test
  void missingSecretFileIsWatched() throws Exception {
    AccountsFile accounts = opened(LINES);
    replace(file, "accounts:\n- name: a\n  user: u\n  password_file: later\n");
    assertTrue(isChanged(accounts));
    assertThrows(ConfigException.class, accounts::read);
    assertFalse(isChanged(accounts));
    replace(directory.resolve("later"), "now");
    assertTrue(isChanged(accounts));
    assertEquals("now", accounts.read().get(0).settings().credentials().secret());
  }

  /** The kubelet replaces the directory of a secret by changing a symbolic link. */
  @Test
  void replacedLinkIsDetected() throws Exception {
    for (String version : List.of("1", "2")) {
      Path data = Files.createDirectory(directory.resolve("data" + version));
      Files.writeString(
          data.resolve("accounts.yml"), "accounts:\n- {name: a, user: u, password_file: p}");
      Files.writeString(data.resolve("p"), "pw" + version);
    }
    Path link = Files.createSymbolicLink(directory.resolve("..data"), Path.of("data1"));
    Files.createSymbolicLink(directory.resolve("p"), Path.of("..data/p"));
    Files.createSymbolicLink(file, Path.of("..data/accounts.yml"));
    AccountsFile accounts = Configuration.from(variables).file().orElseThrow();
    assertEquals("pw1", accounts.accounts().get(0).settings().credentials().secret());
    assertFalse(isChanged(accounts));
    Path next = Files.createSymbolicLink(directory.resolve("next"), Path.of("data2"));
    Files.move(next, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    assertTrue(isChanged(accounts));
    assertEquals("pw2", accounts.read().get(0).settings().credentials().secret());
  }

  @Test
  void checksOfManySecretFilesAreSpread() throws Exception {
    int count = 2_500;
    StringBuilder yaml = new StringBuilder("accounts:\n");
    for (int i = 0; i < count; i++) {
      Files.writeString(directory.resolve("p" + i), "p");
      yaml.append("- {name: n" + i + ", user: u" + i + ", password_file: p" + i + "}\n");
    }
    AccountsFile accounts = opened(yaml.toString());
    replace(directory.resolve("p" + (count - 1)), "changed");
    List<Boolean> changed = new ArrayList<>();
    for (int check = 0; check < 6; check++) {
      changed.add(accounts.needsRead());
    }
    // Found in the third check.
    assertEquals(List.of(false, false, false, true, false, false), changed);
    // The accounts file itself is part of each check.
    replace(file, LINES);
    assertTrue(isChanged(accounts));
  }
}
