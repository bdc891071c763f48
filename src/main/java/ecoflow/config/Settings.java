package ecoflow.config;

import ecoflow.config.KafkaSettings.Role;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * All settings of one exporter, read from environment variables.
 *
 * @param mode the way to access the cloud
 * @param credentials access key and secret key (REST, Open), or user and password of the app
 *     account
 * @param routesDir the directory with the user's route files
 * @param routesReload whether changed files in that directory are reloaded
 * @param libDir the directory with additional component jars
 * @param messagesDir the directory with the user's messages and tables
 * @param recording the recordings of messages
 * @param stateDir the directory for logins, so that a restart needs no login
 * @param shard the part of the accounts file that this process serves; empty for all accounts
 * @param kafka the role of the process in a fleet, and its access to Kafka
 * @param notes log lines about settings that are accepted but unusual or without effect
 */
public record Settings(
    Mode mode,
    Credentials credentials,
    DeviceSettings devices,
    HttpSettings http,
    MqttSettings mqtt,
    PageSettings page,
    RegistrySettings registries,
    LogLevel logLevel,
    Optional<Path> routesDir,
    boolean routesReload,
    Optional<Path> libDir,
    Optional<Path> messagesDir,
    RecordingSettings recording,
    Optional<Path> stateDir,
    Optional<Shard> shard,
    KafkaSettings kafka,
    List<String> notes) {

  public static final String ACCOUNTS_FILE = "ECOFLOW_ACCOUNTS_FILE";
  public static final String ROUTES_DIR = "ECOFLOW_ROUTES_DIR";
  private static final String STATE_DIR = "ECOFLOW_STATE_DIR";
  private static final String ROUTES_RELOAD = "ECOFLOW_ROUTES_RELOAD";
  private static final String JAVA_PROXY = "https.proxyHost";
  static final String API_TYPE = "ECOFLOW_API_TYPE";
  static final String ACCESS_KEY = "ECOFLOW_ACCESS_KEY";
  static final String SECRET_KEY = "ECOFLOW_SECRET_KEY";
  static final String USER = "ECOFLOW_ACCOUNT_USER";
  static final String PASSWORD = "ECOFLOW_ACCOUNT_PASSWORD";

  /**
   * With developer keys, REST polls, and OPEN also receives pushes. With an app account, MQTT
   * receives pushes, and DEVICE also requests all values.
   */
  public enum Mode {
    REST,
    OPEN,
    MQTT,
    DEVICE;

    /** The value of the label client_type and of ECOFLOW_API_TYPE. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Whether the mode uses an app account; otherwise it uses developer keys. */
    public boolean usesAccount() {
      return this == MQTT || this == DEVICE;
    }

    public boolean usesMqtt() {
      return this != REST;
    }
  }

  /**
   * LOG_LEVEL also accepts the level names of the Python exporter, such as WARNING and CRITICAL.
   */
  public enum LogLevel {
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  /** A key pair, or user and password. */
  public record Credentials(String id, String secret) {
    @Override
    public String toString() {
      return "Credentials[***]";
    }
  }

  /**
   * The settings of a process whose only account is in the environment, or of a server without
   * accounts.
   *
   * @throws ConfigException if a setting is not valid
   */
  public static Settings from(Map<String, String> variables) throws ConfigException {
    Environment env = new Environment(variables);
    return isServer(env) ? ofServer(variables) : from(env);
  }

  static boolean isServer(Environment env) throws ConfigException {
    return KafkaSettings.role(env) == Role.SERVE;
  }

  /** The settings of a server. The credentials are empty, and those of the variables ignored. */
  private static Settings ofServer(Map<String, String> variables) throws ConfigException {
    Environment given = new Environment(variables);
    List<String> notes = new ArrayList<>();
    for (String name : ofCollectors()) {
      if (given.given(name).isPresent()) {
        notes.add(name + " has no effect with " + KafkaSettings.ROLE + "=" + Role.SERVE.label());
      }
    }
    Settings settings = from(withoutCollector(variables));
    notes.addAll(settings.notes);
    return settings.copy(
        settings.mode,
        new Credentials("", ""),
        settings.devices,
        settings.http,
        settings.mqtt,
        settings.registries,
        settings.stateDir,
        settings.kafka,
        List.copyOf(notes));
  }

  /** The variables that select accounts, which servers do not need. */
  private static List<String> ofCollectors() {
    return Stream.concat(
            AccountKeys.ONLY_IN_FILE.stream(), Stream.of(API_TYPE, ACCOUNTS_FILE, Shard.VARIABLE))
        .toList();
  }

  /** An environment with placeholders for the variables that only collectors use. */
  private static Environment withoutCollector(Map<String, String> variables) {
    Map<String, String> all = new HashMap<>(variables);
    ofCollectors().forEach(all::remove);
    all.put(USER, "none");
    all.put(PASSWORD, "none");
    all.put(DeviceSettings.SERIALS, "all");
    return new Environment(all);
  }

  /**
   * The settings of a process with an accounts file. The credentials are empty, and the mode is the
   * default of the accounts.
   */
  static Settings ofProcess(Map<String, String> variables) throws ConfigException {
    Settings settings = from(withoutAccount(variables));
    return settings.with(new Credentials("", ""));
  }

  /** An environment with placeholders for the values that only the accounts file can set. */
  private static Environment withoutAccount(Map<String, String> variables) throws ConfigException {
    Environment given = new Environment(variables);
    for (String name : AccountKeys.ONLY_IN_FILE) {
      if (given.given(name).isPresent()) {
        throw new ConfigException(
            name
                + " and "
                + ACCOUNTS_FILE
                + " are both set: set "
                + AccountKeys.key(name)
                + " of each account in the file instead");
      }
    }
    Map<String, String> all = new HashMap<>(variables);
    String mode = given.given(API_TYPE).orElse("");
    boolean usesKeys =
        Stream.of(Mode.REST, Mode.OPEN).anyMatch(with -> with.label().equalsIgnoreCase(mode));
    all.put(usesKeys ? ACCESS_KEY : USER, "none");
    all.put(usesKeys ? SECRET_KEY : PASSWORD, "none");
    all.put(DeviceSettings.SERIALS, "all");
    return new Environment(all);
  }

  /**
   * The settings of an account of the accounts file. Settings that accounts cannot override are the
   * same objects in all accounts.
   */
  Settings forAccount(Environment env) throws ConfigException {
    Optional<Credentials> keys = keys(env);
    Optional<Credentials> account = account(env);
    Mode accountMode = mode(env, keys.isPresent(), account.isPresent(), new ArrayList<>());
    return copy(
        accountMode,
        keys.or(() -> account).orElseThrow(),
        DeviceSettings.read(env, accountMode),
        http.forAccount(env),
        MqttSettings.read(env),
        registries,
        stateDir,
        kafka,
        env.remarks().stream().filter(remark -> !notes.contains(remark)).toList());
  }

  /**
   * The effective value and the source of every variable. Secrets are masked. Omits the values of
   * the accounts file, see {@link Configuration#explain}.
   *
   * @throws ConfigException if a setting is not valid
   */
  public static List<Variable> explain(Map<String, String> variables) throws ConfigException {
    Environment given = new Environment(variables);
    boolean isServer = isServer(given);
    boolean hasFile = !isServer && given.given(ACCOUNTS_FILE).isPresent();
    Environment env =
        isServer
            ? withoutCollector(variables)
            : hasFile ? withoutAccount(variables) : new Environment(variables);
    Settings settings = from(env);
    if (isServer) {
      ofCollectors().stream()
          .filter(name -> !name.endsWith(Environment.FILE) || name.equals(ACCOUNTS_FILE))
          .forEach(name -> env.note(Variable.derived(name, Variable.NONE, "not used by servers")));
    } else if (hasFile) {
      Stream.of(ACCESS_KEY, SECRET_KEY, USER, PASSWORD, DeviceSettings.SERIALS)
          .forEach(name -> env.note(Variable.derived(name, Variable.NONE, "set per account")));
    } else if (settings.mode() == Mode.REST) {
      env.note(Variable.derived(API_TYPE, settings.mode().label(), "developer keys are set"));
      env.note(
          Variable.derived("ECOFLOW_MQTT_CLIENT_ID", Variable.NONE, "mode rest does not use MQTT"));
    }
    Launcher.explain(env);
    return env.read();
  }

  /** Whether the accounts are in a file, so that the credentials are empty. */
  public boolean hasAccountsFile() {
    return credentials.id().isEmpty() && kafka.role() != Role.SERVE;
  }

  /** Whether the process is a server of a fleet, which has no accounts of its own. */
  public boolean isServer() {
    return kafka.role() == Role.SERVE;
  }

  /**
   * The interval of the calls for EcoFlow's energy history; empty without calls, which a fleet does
   * not make.
   */
  public Optional<Duration> historyInterval() {
    return kafka.role() == Role.ALL ? devices.historyInterval() : Optional.empty();
  }

  /** A copy that calls this host only. */
  public Settings withApiHost(String host) {
    return copy(
        mode, credentials, devices, http.withHost(host), mqtt, registries, stateDir, kafka, notes);
  }

  /**
   * A copy for commands, which neither publish values nor use stored logins, because {@code check}
   * tests the login itself, and do not record messages, because an exporter can use the same files.
   */
  public Settings forCommands() {
    return new Settings(
        mode,
        credentials,
        devices,
        http,
        mqtt,
        page,
        new RegistrySettings(List.of(), registries.variables()),
        logLevel,
        routesDir,
        routesReload,
        libDir,
        messagesDir,
        RecordingSettings.NONE,
        Optional.empty(),
        shard,
        kafka,
        notes);
  }

  /** A copy with other credentials. */
  private Settings with(Credentials other) {
    return copy(mode, other, devices, http, mqtt, registries, stateDir, kafka, notes);
  }

  /** A copy with equal parts that other accounts use as well. */
  Settings with(DeviceSettings someDevices, HttpSettings someHttp, MqttSettings someMqtt) {
    return copy(
        mode, credentials, someDevices, someHttp, someMqtt, registries, stateDir, kafka, notes);
  }

  /** A copy in role all, for commands that decode messages in this process. */
  public Settings standalone() {
    return copy(
        mode, credentials, devices, http, mqtt, registries, stateDir, kafka.standalone(), notes);
  }

  /** The settings of a server for an account of this mode. */
  public Settings ofServedAccount(Mode accountMode) {
    return copy(
        accountMode,
        credentials,
        devices.ofMode(accountMode),
        http,
        mqtt,
        registries,
        stateDir,
        kafka,
        notes);
  }

  private Settings copy(
      Mode newMode,
      Credentials newCredentials,
      DeviceSettings newDevices,
      HttpSettings newHttp,
      MqttSettings newMqtt,
      RegistrySettings newRegistries,
      Optional<Path> newStateDir,
      KafkaSettings newKafka,
      List<String> newNotes) {
    return new Settings(
        newMode,
        newCredentials,
        newDevices,
        newHttp,
        newMqtt,
        page,
        newRegistries,
        logLevel,
        routesDir,
        routesReload,
        libDir,
        messagesDir,
        recording,
        newStateDir,
        shard,
        newKafka,
        newNotes);
  }

  private static Settings from(Environment env) throws ConfigException {
    env.rejectQuotes();
    List<String> notes = new ArrayList<>();
    Optional<Credentials> keys = keys(env);
    Optional<Credentials> account = account(env);
    env.text(ACCOUNTS_FILE);
    Optional<Shard> shard = Shard.read(env);
    Optional<Path> routesDir = directory(env, ROUTES_DIR, "route files");
    boolean routesReload = reload(env, routesDir, notes);
    Mode mode = mode(env, keys.isPresent(), account.isPresent(), notes);
    DeviceSettings devices = DeviceSettings.read(env, mode);
    if (devices.historyInterval().isPresent()
        && account.isPresent()
        && env.given(ACCOUNTS_FILE).isEmpty()
        && KafkaSettings.role(env) == Role.ALL) {
      notes.add(
          DeviceSettings.HISTORY_INTERVAL
              + " has no effect in mode "
              + mode.label()
              + ": EcoFlow's energy history requires developer keys");
    }
    HttpSettings http = HttpSettings.read(env, notes);
    if (http.proxy().isEmpty() && System.getProperty(JAVA_PROXY) != null) {
      notes.add("-D" + JAVA_PROXY + " has no effect: set HTTPS_PROXY");
    }
    return new Settings(
        mode,
        keys.or(() -> account).orElseThrow(),
        devices,
        http,
        MqttSettings.read(env),
        PageSettings.read(env),
        RegistrySettings.read(env),
        logLevel(env),
        routesDir,
        routesReload,
        directory(env, "ECOFLOW_LIB_DIR", "jars"),
        directory(env, "ECOFLOW_MESSAGES_DIR", "messages"),
        RecordingSettings.read(env, writable(env, RecordingSettings.DIRECTORY, "recordings")),
        writable(env, STATE_DIR, "logins"),
        shard,
        KafkaSettings.read(env, devices.seriesLife(), notes),
        Stream.concat(notes.stream(), env.remarks().stream()).toList());
  }

  private static Optional<Credentials> keys(Environment env) throws ConfigException {
    return pair(env, ACCESS_KEY, env.key(ACCESS_KEY), SECRET_KEY, env.key(SECRET_KEY));
  }

  private static Optional<Credentials> account(Environment env) throws ConfigException {
    return pair(env, USER, env.user(USER), PASSWORD, env.password(PASSWORD));
  }

  private static Optional<Credentials> pair(
      Environment env,
      String idName,
      Optional<String> id,
      String secretName,
      Optional<String> secret)
      throws ConfigException {
    if (id.isPresent() != secret.isPresent()) {
      String missing = id.isPresent() ? secretName : idName;
      String present = id.isPresent() ? idName : secretName;
      throw env.conflict(
          present,
          env.name(missing)
              + " is not set, but "
              + env.name(present)
              + " is: set both or neither"
              + env.insteadOf(missing));
    }
    return id.map(value -> new Credentials(value, secret.orElseThrow()));
  }

  private static Mode mode(Environment env, boolean keys, boolean account, List<String> notes)
      throws ConfigException {
    Optional<String> type = env.note(API_TYPE, Mode.MQTT.label());
    Optional<Mode> given = Optional.empty();
    if (type.isPresent()) {
      try {
        given = Optional.of(Mode.valueOf(type.get().toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException e) {
        throw env.invalid(API_TYPE, type.get(), "rest, open, mqtt or device");
      }
    }
    if (keys && account) {
      throw env.conflict(
          ACCESS_KEY,
          env.name(ACCESS_KEY)
              + "/"
              + env.name(SECRET_KEY)
              + " and "
              + env.name(USER)
              + "/"
              + env.name(PASSWORD)
              + " are both set: set the keys for the modes rest and open, or the account for the"
              + " modes mqtt and device");
    }
    if (!keys && !account) {
      throw env.conflict(
          USER,
          "no credentials: set "
              + env.name(ACCESS_KEY)
              + " and "
              + env.name(SECRET_KEY)
              + " for the modes rest and open, or "
              + env.name(USER)
              + " and "
              + env.name(PASSWORD)
              + " for the modes mqtt and device"
              + env.insteadOf(ACCESS_KEY, SECRET_KEY, USER, PASSWORD));
    }
    if (keys) {
      if (given.isPresent() && given.get() == Mode.OPEN) {
        return Mode.OPEN;
      }
      given
          .filter(Mode::usesAccount)
          .ifPresent(
              mode ->
                  notes.add(
                      "ECOFLOW_API_TYPE="
                          + mode.label()
                          + " has no effect with developer keys: mode rest is used"));
      return Mode.REST;
    }
    Mode mode = given.orElse(Mode.MQTT);
    if (!mode.usesAccount()) {
      throw env.conflict(
          API_TYPE,
          env.name(API_TYPE)
              + "="
              + mode.label()
              + " requires "
              + env.name(ACCESS_KEY)
              + " and "
              + env.name(SECRET_KEY)
              + "; with an account, set it to mqtt or device");
    }
    return mode;
  }

  private static Optional<Path> directory(Environment env, String name, String content)
      throws ConfigException {
    return env.path(name, Files::isDirectory, "a readable directory with " + content);
  }

  private static Optional<Path> writable(Environment env, String name, String content)
      throws ConfigException {
    Optional<Path> directory = directory(env, name, content);
    if (directory.isPresent() && !Files.isWritable(directory.get())) {
      throw env.invalid(name, directory.get().toString(), "a writable directory");
    }
    return directory;
  }

  private static boolean reload(Environment env, Optional<Path> routesDir, List<String> notes)
      throws ConfigException {
    boolean reload = env.flag(ROUTES_RELOAD);
    if (reload && routesDir.isEmpty()) {
      notes.add(ROUTES_RELOAD + " has no effect without " + ROUTES_DIR);
    }
    return reload && routesDir.isPresent();
  }

  private static LogLevel logLevel(Environment env) throws ConfigException {
    String value = env.text("LOG_LEVEL", "INFO");
    return switch (value.toUpperCase(Locale.ROOT)) {
      case "DEBUG" -> LogLevel.DEBUG;
      case "INFO" -> LogLevel.INFO;
      case "WARN", "WARNING" -> LogLevel.WARN;
      case "ERROR", "CRITICAL", "FATAL" -> LogLevel.ERROR;
      default -> throw env.invalid("LOG_LEVEL", value, "DEBUG, INFO, WARNING, ERROR or CRITICAL");
    };
  }
}
