package ecoflow.config;

import ecoflow.text.Lines;
import ecoflow.text.YamlException;
import ecoflow.text.YamlSection;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads the accounts file once. Each account is validated like the environment of an exporter with
 * this account only; messages name the file, the line and the key.
 */
final class AccountsReader {

  private static final String ACCOUNTS = "accounts";
  private static final String ALL = "all";
  private static final String EMPTY = "the value is empty";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,63}");
  private static final String NAME_ALLOWED = "1 to 63 letters, digits, '.', '_' and '-'";
  private static final Pattern LABEL = Pattern.compile("(?!__)[a-zA-Z_][a-zA-Z0-9_]*");

  /** Labels of the exporter and of Prometheus. */
  static final Set<String> RESERVED_LABELS =
      Set.of(
          "account",
          "mode",
          "api_host",
          "device",
          "device_name",
          "product_name",
          "device_general_key",
          "instance",
          "job",
          "shard",
          "shards");

  private static final int MAX_LABELS = 20;
  private static final int MAX_LABEL_CHARACTERS = 200;
  private static final long MAX_FILE_BYTES = 64L << 20;
  private static final long MAX_SECRET_BYTES = 64L << 10;

  /** Text that {@link DeviceSettings} would read as the name of the next device. */
  private static final Pattern NEXT_DEVICE = Pattern.compile("(?s).*,\\s*[A-Za-z0-9_-]+\\s*=.*");

  /** Receives each account with its values and their sources. */
  @FunctionalInterface
  interface Listener {
    void read(AccountSettings account, Supplier<List<Variable>> variables);
  }

  private final Path path;
  private final String file;
  private final Map<String, String> variables;
  private final Settings process;
  private final Listener listener;
  private final Map<Path, Fingerprint> files = new LinkedHashMap<>();
  private final Map<String, Integer> names = new HashMap<>();
  private final Map<Object, Integer> logins = new HashMap<>();
  private final Map<String, Integer> clientIds = new HashMap<>();

  /** Equal values, each once, because most accounts have the same ones. */
  private final Map<Object, Object> shared = new HashMap<>();

  /**
   * @param variables the environment, with the defaults of all accounts
   * @param process the settings of the process, with the same defaults
   */
  AccountsReader(Path path, Map<String, String> variables, Settings process, Listener listener) {
    this.path = path;
    this.file = Lines.printable(path.toString());
    this.variables = variables;
    this.process = process;
    this.listener = listener;
  }

  /**
   * The fingerprints of the accounts file and of its secret files, from before each of them was
   * read. After an error they end with the file that caused it.
   */
  Map<Path, Fingerprint> files() {
    return files;
  }

  /**
   * The accounts of this shard, in the order of the file. All others are validated too, so that all
   * shards accept or reject the same files.
   */
  List<AccountSettings> accounts() throws ConfigException {
    try {
      YamlSection root = YamlSection.read(text());
      List<YamlSection> sections = root.sections(ACCOUNTS);
      if (!root.unread().isEmpty()) {
        String field = root.unread().iterator().next();
        throw error(
            root.line(field), "unknown field " + Lines.oneLine(field) + "; expected " + ACCOUNTS);
      }
      if (sections.isEmpty()) {
        throw error(root.line(ACCOUNTS), ACCOUNTS + ": expected a list with at least one account");
      }
      List<AccountSettings> accounts = new ArrayList<>(sections.size());
      for (YamlSection section : sections) {
        AccountSettings account = account(section);
        if (isServed(account.name())) {
          accounts.add(account);
        }
      }
      return List.copyOf(accounts);
    } catch (YamlException e) {
      throw error(e.line(), e.getMessage());
    }
  }

  private boolean isServed(String name) {
    return process.shard().isEmpty() || process.shard().get().serves(name);
  }

  private ConfigException error(int line, String message) {
    return new ConfigException(position(line) + message);
  }

  private String position(int line) {
    return file + ":" + Math.max(1, line) + ": ";
  }

  private String text() throws ConfigException {
    try {
      if (!isFile(path, MAX_FILE_BYTES)) {
        throw Environment.bad(
            Settings.ACCOUNTS_FILE,
            path.toString(),
            "a regular file of at most " + (MAX_FILE_BYTES >> 20) + " MiB");
      }
      return Files.readString(path);
    } catch (MalformedInputException e) {
      throw Environment.bad(Settings.ACCOUNTS_FILE, path.toString(), "a text file in UTF-8");
    } catch (IOException e) {
      throw Environment.bad(
          Settings.ACCOUNTS_FILE,
          path.toString(),
          "a readable file with accounts, but " + Lines.unreadable(path.toString()));
    }
  }

  /** Whether the path is a regular file with a limited size. Records its fingerprint. */
  private boolean isFile(Path path, long maxBytes) throws IOException {
    files.put(path, Fingerprint.of(path));
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    return attributes.isRegularFile() && attributes.size() <= maxBytes;
  }

  private AccountSettings account(YamlSection section) throws ConfigException, YamlException {
    String name = name(section);
    Map<String, String> labels = labels(section.section(AccountKeys.LABELS));
    Map<String, String> own = new HashMap<>();
    for (Map.Entry<String, String> key : AccountKeys.VARIABLES.entrySet()) {
      if (section.has(key.getKey())) {
        own.put(key.getValue(), value(section, key.getKey(), own));
      }
    }
    if (!section.unread().isEmpty()) {
      String field = section.unread().iterator().next();
      throw error(section.line(field), AccountKeys.unknown(field));
    }
    Environment env = new Environment(all(own), new Source(section, own));
    Settings settings = settings(section, own, env);
    rejectConflicts(section, name, settings);
    AccountSettings account = new AccountSettings(name, labels, settings);
    if (isServed(name)) {
      listener.read(account, () -> explain(section, account, env));
    }
    return account;
  }

  private String name(YamlSection section) throws ConfigException, YamlException {
    String name = section.text(AccountKeys.NAME, "");
    int line = section.line(AccountKeys.NAME);
    if (name.isEmpty()) {
      throw error(line, AccountKeys.NAME + " is not set: expected " + NAME_ALLOWED);
    }
    if (!NAME.matcher(name).matches()) {
      throw Environment.bad(position(line) + AccountKeys.NAME, name, NAME_ALLOWED);
    }
    Integer other = names.put(name, line);
    if (other != null) {
      throw error(line, AccountKeys.NAME + "=" + name + " is already used in line " + other);
    }
    return name;
  }

  private static boolean isLabelValue(String value) {
    return !value.isEmpty()
        && value.codePointCount(0, value.length()) <= MAX_LABEL_CHARACTERS
        && Lines.printable(value).equals(value);
  }

  /** Whether an account of the accounts file can have this name and these labels. */
  static boolean isValid(String name, Map<String, String> labels) {
    return NAME.matcher(name).matches()
        && labels.size() <= MAX_LABELS
        && labels.entrySet().stream()
            .allMatch(
                label ->
                    LABEL.matcher(label.getKey()).matches()
                        && !RESERVED_LABELS.contains(label.getKey())
                        && isLabelValue(label.getValue()));
  }

  private Map<String, String> labels(YamlSection section) throws ConfigException, YamlException {
    Map<String, String> labels = new LinkedHashMap<>();
    for (String name : section.names()) {
      if (!LABEL.matcher(name).matches()) {
        throw section.error(
            name,
            "expected a label name: letters, digits and '_', not starting with a digit or __");
      }
      if (RESERVED_LABELS.contains(name)) {
        throw section.error(name, "the exporter or Prometheus sets this label");
      }
      String value = section.text(name, "");
      if (!isLabelValue(value)) {
        throw section.error(
            name,
            "expected 1 to " + MAX_LABEL_CHARACTERS + " characters without control characters");
      }
      labels.put(share(name), share(value));
    }
    if (labels.size() > MAX_LABELS) {
      throw section.error("expected at most " + MAX_LABELS + " labels");
    }
    return share(Map.copyOf(labels));
  }

  /**
   * The value of a key as text.
   *
   * @param before the values of the keys before it in the table
   */
  private String value(YamlSection section, String key, Map<String, String> before)
      throws ConfigException, YamlException {
    String value;
    if (key.equals(AccountKeys.DEVICES) && section.isList(key)) {
      value = String.join(",", section.list(key));
    } else if (AccountKeys.BY_DEVICE.contains(key) && section.isSection(key)) {
      value = byDevice(section.section(key), before.get(DeviceSettings.SERIALS));
    } else {
      value = section.text(key, "");
    }
    if (Secret.trimmed(value).isEmpty()) {
      // The value of a variable that is empty is the default. In a file it is probably an error.
      throw section.error(key, EMPTY);
    }
    return key.endsWith(AccountKeys.FILE) ? secretFile(section, key, value) : value;
  }

  /**
   * A mapping of serial numbers to texts, in the format of the variable.
   *
   * @param devices the devices of the account; null for all
   */
  private static String byDevice(YamlSection section, String devices) throws YamlException {
    List<String> listed =
        devices == null || Secret.trimmed(devices).equalsIgnoreCase(ALL)
            ? List.of()
            : Stream.of(devices.toUpperCase(Locale.ROOT).split(",")).map(Secret::trimmed).toList();
    List<String> values = new ArrayList<>();
    for (String serial : section.names()) {
      String value = section.text(serial, "");
      if (Secret.trimmed(value).isEmpty()) {
        throw section.error(serial, EMPTY);
      }
      if (NEXT_DEVICE.matcher(value).matches()) {
        throw section.error(serial, "expected a text without a comma that precedes a word and '='");
      }
      if (!listed.isEmpty() && !listed.contains(serial.toUpperCase(Locale.ROOT))) {
        // The variable would accept the text as the name of the only device.
        throw section.error(serial, "expected a serial number listed in devices");
      }
      values.add(serial + "=" + value);
    }
    return String.join(",", values);
  }

  /** The absolute path of a secret file. */
  private String secretFile(YamlSection section, String key, String value) throws ConfigException {
    String label = position(section.line(key)) + key;
    Path secret;
    try {
      secret = path.toAbsolutePath().resolveSibling(Secret.trimmed(value));
    } catch (InvalidPathException e) {
      throw Environment.bad(label, value, "the path of a file");
    }
    try {
      if (!isFile(secret, MAX_SECRET_BYTES)) {
        throw Files.isDirectory(secret)
            ? unreadable(label, secret)
            : Environment.bad(
                label,
                secret.toString(),
                "a regular file of at most " + (MAX_SECRET_BYTES >> 10) + " KiB");
      }
      return secret.toString();
    } catch (IOException e) {
      throw unreadable(label, secret);
    }
  }

  private static ConfigException unreadable(String label, Path secret) {
    return Environment.bad(
        label,
        secret.toString(),
        "a file with the secret, but " + Lines.unreadable(secret.toString()));
  }

  /** The variables of an exporter with this account only. */
  private Map<String, String> all(Map<String, String> own) {
    Map<String, String> all = new HashMap<>(variables);
    boolean usesAccount =
        own.containsKey(Settings.USER) || own.containsKey(Settings.USER + Environment.FILE);
    if (process.mode().usesAccount() != usesAccount) {
      all.remove(Settings.API_TYPE);
    }
    // The names for all accounts can contain devices of other accounts.
    all.remove(DeviceSettings.NAME);
    all.remove(DeviceSettings.PRODUCT);
    all.remove(DeviceSettings.GENERAL_KEY);
    all.put(DeviceSettings.SERIALS, ALL);
    all.putAll(own);
    return all;
  }

  private Settings settings(YamlSection section, Map<String, String> own, Environment env)
      throws ConfigException {
    Settings settings = process.forAccount(env);
    String mode = own.get(Settings.API_TYPE);
    if (mode != null && !Secret.trimmed(mode).equalsIgnoreCase(settings.mode().label())) {
      throw error(
          section.line(AccountKeys.MODE),
          "mode="
              + Secret.trimmed(mode).toLowerCase(Locale.ROOT)
              + " requires user and password; with access_key and secret_key, set it to rest or"
              + " open");
    }
    DeviceSettings devices = settings.devices().withNames(process.devices(), own.keySet());
    return settings.with(share(devices), share(settings.http()), share(settings.mqtt()));
  }

  /** Rejects accounts that would interrupt each other's MQTT connection. */
  private void rejectConflicts(YamlSection section, String name, Settings settings)
      throws ConfigException {
    record Login(Settings.Mode mode, Settings.Credentials credentials, Set<String> serials) {}
    Login login =
        new Login(
            settings.mode(), settings.credentials(), Set.copyOf(settings.devices().serials()));
    Integer other = logins.put(login, section.line());
    if (other != null) {
      throw error(
          section.line(),
          "account "
              + name
              + " has the same mode, credentials and devices as the account in line "
              + other);
    }
    if (settings.mqtt().clientId().isPresent()) {
      String id = settings.mqtt().clientId().get();
      int line = section.line("mqtt_client_id");
      Integer same = clientIds.put(id, line);
      if (same != null) {
        throw error(line, "mqtt_client_id=" + id + " is already used in line " + same);
      }
    }
  }

  @SuppressWarnings("unchecked")
  private <T> T share(T value) {
    Object known = shared.putIfAbsent(value, value);
    return known == null ? value : (T) known;
  }

  /** The settings in the order of the file, with their sources. */
  private List<Variable> explain(YamlSection section, AccountSettings account, Environment env) {
    Map<String, Variable> values = new HashMap<>();
    env.read().forEach(variable -> values.put(variable.name(), variable));
    List<Variable> lines = new ArrayList<>();
    if (!section.has(AccountKeys.MODE)) {
      Settings.Mode mode = account.settings().mode();
      lines.add(
          Variable.derived(
              AccountKeys.MODE,
              mode.label(),
              mode.usesAccount() ? "user is set" : "access_key is set"));
    }
    for (String key : section.names()) {
      String variable = AccountKeys.VARIABLES.get(key);
      if (variable != null) {
        Variable value = values.get(variable.replaceFirst(Environment.FILE + "$", ""));
        lines.add(new Variable(AccountKeys.key(value.name()), value.value(), value.source()));
      } else if (key.equals(AccountKeys.LABELS)) {
        String labels =
            account.labels().entrySet().stream()
                .map(label -> label.getKey() + "=" + label.getValue())
                .sorted()
                .collect(Collectors.joining(", "));
        lines.add(new Variable(key, labels, file + ":" + section.line(key)));
      }
    }
    return lines;
  }

  /** The keys and lines of an account; the variables of its defaults. */
  private final class Source implements Environment.Source {

    private final YamlSection section;
    private final Map<String, String> own;

    Source(YamlSection section, Map<String, String> own) {
      this.section = section;
      this.own = own;
    }

    @Override
    public String name(String variable) {
      return isDefault(variable) ? variable : AccountKeys.key(variable);
    }

    @Override
    public String position(String variable) {
      return isDefault(variable) ? "" : AccountsReader.this.position(line(variable));
    }

    @Override
    public String source(String variable) {
      return isDefault(variable) ? Variable.ENVIRONMENT : file + ":" + line(variable);
    }

    private boolean isDefault(String variable) {
      return !own.containsKey(variable)
          && !own.containsKey(variable + Environment.FILE)
          && variables.containsKey(variable);
    }

    private int line(String variable) {
      String key = AccountKeys.key(variable);
      return section.line(section.has(key) ? key : key + AccountKeys.FILE);
    }
  }
}
