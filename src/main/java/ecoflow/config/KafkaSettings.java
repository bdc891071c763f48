package ecoflow.config;

import ecoflow.text.Lines;
import java.io.IOException;
import java.io.Reader;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The role of the process in a fleet, and its access to Kafka.
 *
 * @param brokers {@code host:port} of the brokers, separated by commas; empty in role all
 * @param topics the prefix of the names of topics
 * @param group the consumer group of servers
 * @param file the properties file; empty without one
 * @param properties further properties of Kafka clients, from the file; can contain secrets
 * @param replay the age of the records that a server reads again when it gets a partition
 */
public record KafkaSettings(
    Role role,
    String brokers,
    String topics,
    String group,
    Optional<String> file,
    Map<String, String> properties,
    Duration replay) {

  public static final String ROLE = "ECOFLOW_ROLE";
  public static final String BROKERS = "ECOFLOW_KAFKA_BROKERS";
  public static final String TOPICS = "ECOFLOW_KAFKA_TOPICS";
  public static final String GROUP = "ECOFLOW_KAFKA_GROUP";
  public static final String PROPERTIES = "ECOFLOW_KAFKA_PROPERTIES";
  public static final String REPLAY = "ECOFLOW_REPLAY";

  private static final Pattern BROKER =
      Pattern.compile("(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.%]+]):(\\d{1,5})");
  private static final int MAX_PORT = 65_535;

  /** Kafka limits the names of topics to 249 characters, including the part after the prefix. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,200}");

  private static final String NAME_ALLOWED = "1 to 200 letters, digits, '.', '_' and '-'";

  /** The routes require these properties; the value is a variable to set instead, or empty. */
  private static final Map<String, String> RESERVED =
      Map.ofEntries(
          Map.entry("bootstrap.servers", BROKERS),
          Map.entry("group.id", GROUP),
          Map.entry("acks", ""),
          Map.entry("auto.offset.reset", ""),
          Map.entry("enable.idempotence", ""),
          Map.entry("group.protocol", ""),
          Map.entry("key.deserializer", ""),
          Map.entry("key.serializer", ""),
          Map.entry("max.block.ms", ""),
          Map.entry("partition.assignment.strategy", ""),
          Map.entry("partitioner.class", ""),
          Map.entry("partitioner.ignore.keys", ""),
          Map.entry("transactional.id", ""),
          Map.entry("value.deserializer", ""),
          Map.entry("value.serializer", ""));

  /** Properties whose values are not printed, and values that contain a login. */
  private static final Pattern SECRET_NAME =
      Pattern.compile(
          "(?i).*(?:password|passphrase|passwd|secret|jaas|token|credential|auth|user|private"
              + "|certificate|(?:^|[._-])key(?:$|[._-])).*");

  private static final Pattern SECRET_VALUE = Pattern.compile(".*://[^/]*@.*");

  /** The part of the process in a fleet. */
  public enum Role {
    /** One process for everything, without Kafka. */
    ALL,
    /** From EcoFlow to Kafka, without decoding. */
    COLLECT,
    /** From Kafka to the pages, without credentials. */
    SERVE;

    /** The value of ECOFLOW_ROLE. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * The role in the variables.
   *
   * @throws ConfigException if the variable is not valid
   */
  public static Role role(Map<String, String> variables) throws ConfigException {
    return role(new Environment(variables));
  }

  static Role role(Environment env) throws ConfigException {
    String value = env.text(ROLE, Role.ALL.label());
    return Stream.of(Role.values())
        .filter(role -> role.label().equals(value))
        .findFirst()
        .orElseThrow(() -> env.invalid(ROLE, value, "all, collect or serve"));
  }

  /**
   * @param seriesLife the default of the replay
   * @param notes receives lines about variables without effect
   */
  static KafkaSettings read(Environment env, Duration seriesLife, List<String> notes)
      throws ConfigException {
    Role role = role(env);
    KafkaSettings settings =
        new KafkaSettings(
            role,
            brokers(env, role),
            env.matching(TOPICS, "ecoflow", NAME, NAME_ALLOWED),
            env.matching(GROUP, "ecoflow-serve", NAME, NAME_ALLOWED),
            env.text(PROPERTIES),
            role == Role.ALL ? Map.of() : properties(env),
            env.seconds(REPLAY, plain(seriesLife), "0", "8640000"));
    Stream<String> unused =
        switch (role) {
          case ALL -> Stream.of(BROKERS, TOPICS, GROUP, PROPERTIES, REPLAY);
          case COLLECT -> Stream.of(GROUP, REPLAY, DeviceSettings.HISTORY_INTERVAL);
          case SERVE -> Stream.of(DeviceSettings.HISTORY_INTERVAL);
        };
    unused
        .filter(name -> env.given(name).isPresent())
        .forEach(name -> notes.add(name + " has no effect with " + ROLE + "=" + role.label()));
    return settings;
  }

  private static String plain(Duration duration) {
    return BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString();
  }

  private static String brokers(Environment env, Role role) throws ConfigException {
    Optional<String> value = env.text(BROKERS);
    if (value.isEmpty() && role != Role.ALL) {
      throw new ConfigException(
          ROLE
              + "="
              + role.label()
              + " requires "
              + BROKERS
              + ": set it to the addresses of Kafka brokers, such as kafka-1:9092,kafka-2:9092");
    }
    for (String broker : value.orElse("").split(",", -1)) {
      Matcher parts = BROKER.matcher(broker.strip());
      boolean isValid =
          parts.matches()
              && Integer.parseInt(parts.group(1)) >= 1
              && Integer.parseInt(parts.group(1)) <= MAX_PORT;
      if (value.isPresent() && !isValid) {
        throw env.invalid(
            BROKERS,
            value.get(),
            "host:port of one or more Kafka brokers, separated by commas, such as"
                + " kafka-1:9092,kafka-2:9092");
      }
    }
    return value.orElse("").replaceAll("\\s+", "");
  }

  private static Map<String, String> properties(Environment env) throws ConfigException {
    Optional<String> value = env.text(PROPERTIES);
    if (value.isEmpty()) {
      return Map.of();
    }
    Map<String, String> read = new TreeMap<>();
    Properties content = load(env, value.get());
    content.stringPropertyNames().forEach(name -> read.put(name, content.getProperty(name)));
    for (String name : read.keySet()) {
      String instead = RESERVED.get(name);
      if (instead != null) {
        throw new ConfigException(
            PROPERTIES
                + "="
                + value.get()
                + ": "
                + name
                + " cannot be set"
                + (instead.isEmpty()
                    ? ", because the routes depend on its value: remove it"
                    : ": set " + instead + " instead"));
      }
    }
    read.forEach(
        (name, property) ->
            env.note(
                new Variable(
                    PROPERTIES + " " + Lines.printable(name),
                    shown(name, property),
                    "file " + Lines.printable(value.get()))));
    return Map.copyOf(read);
  }

  private static Properties load(Environment env, String name) throws ConfigException {
    try {
      Path path = Path.of(name);
      if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
        throw env.unreadable(PROPERTIES, name, "a file with properties");
      }
      Properties properties = new Properties();
      try (Reader reader = Files.newBufferedReader(path, StandardCharsets.UTF_8)) {
        properties.load(reader);
      }
      return properties;
    } catch (CharacterCodingException | IllegalArgumentException e) {
      String problem =
          e instanceof InvalidPathException
              ? "a path"
              : "a properties file in UTF-8, with valid escape sequences";
      throw env.invalid(PROPERTIES, name, problem);
    } catch (IOException e) {
      throw env.unreadable(PROPERTIES, name, "a file with properties");
    }
  }

  private static String shown(String name, String value) {
    return SECRET_NAME.matcher(name).matches() || SECRET_VALUE.matcher(value).matches()
        ? Variable.MASKED
        : Lines.printable(value);
  }

  KafkaSettings standalone() {
    return new KafkaSettings(Role.ALL, brokers, topics, group, file, Map.of(), replay);
  }

  /** The name of a topic. */
  public String topic(String suffix) {
    return topics + "." + suffix;
  }

  /** Does not contain the properties, which can contain secrets. */
  @Override
  public String toString() {
    return "KafkaSettings[" + role.label() + ", " + brokers + ", " + topics + "]";
  }
}
