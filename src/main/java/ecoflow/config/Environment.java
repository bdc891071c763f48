package ecoflow.config;

import ecoflow.text.Lines;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * Reads environment variables and records them for the command config. An empty variable counts as
 * unset, because Compose files pass unset variables as empty ones.
 */
final class Environment {

  /** The suffix of variables with the path of a file that contains the value. */
  static final String FILE = "_FILE";

  static final String HAS_QUOTES = " has quotes around it";

  /**
   * Variables that other programs also read. Quotes around the others are an error, for example in
   * a file for docker run --env-file, which does not remove them.
   */
  private static final Set<String> MAY_HAVE_QUOTES =
      Set.of("JAVA_HOME", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY");

  private static final Set<String> SECRETS =
      Set.of(
          Settings.ACCESS_KEY,
          Settings.SECRET_KEY,
          Settings.USER,
          Settings.PASSWORD,
          // System properties can be passwords.
          Launcher.JAVA_OPTS,
          Launcher.MAVEN_MIRROR);

  private static final int SHOWN_CHARACTERS = 80;

  /** The replacement character for bytes that Java cannot decode in the locale of the process. */
  private static final String UNREADABLE = "\uFFFD";

  /** The names and the positions of values in messages. */
  interface Source {

    /** The variables of the process. */
    Source PROCESS =
        new Source() {
          @Override
          public String name(String variable) {
            return variable;
          }

          @Override
          public String position(String variable) {
            return "";
          }

          @Override
          public String source(String variable) {
            return Variable.ENVIRONMENT;
          }
        };

    /** The name of a variable where the user sets it. */
    String name(String variable);

    /** The prefix of messages about a variable: its file and line, or nothing. */
    String position(String variable);

    /** The source of a value in the output of the command config. */
    String source(String variable);
  }

  private final Map<String, String> variables;
  private final Source source;
  private final Map<String, Variable> read = new LinkedHashMap<>();
  private final Set<String> remarks = new LinkedHashSet<>();

  Environment(Map<String, String> variables) {
    this(variables, Source.PROCESS);
  }

  /**
   * Creates a reader.
   *
   * @param source the names of variables that are not set in the environment
   */
  Environment(Map<String, String> variables, Source source) {
    this.variables = variables;
    this.source = source;
  }

  /** The name of a variable in a message. */
  String name(String variable) {
    return source.name(variable);
  }

  /** The start of a message about a variable: its position and its name. */
  String label(String variable) {
    return source.position(variable) + source.name(variable);
  }

  /** An error in the relation of several variables, with the position of one of them. */
  ConfigException conflict(String variable, String message) {
    return new ConfigException(source.position(variable) + message);
  }

  /**
   * Rejects variables of the process with quotes around the value.
   *
   * @throws ConfigException for the first one in alphabetical order
   */
  void rejectQuotes() throws ConfigException {
    if (!source.equals(Source.PROCESS)) {
      return;
    }
    for (String name : AccountKeys.knownVariables()) {
      Optional<String> value = given(name).filter(Secret::isQuoted);
      if (value.isPresent() && !MAY_HAVE_QUOTES.contains(name)) {
        throw quoted(name, SECRETS.contains(name) ? Variable.MASKED : shown(value.get()));
      }
    }
  }

  /**
   * An error in a value with quotes around it.
   *
   * @param shown the value, masked if it can contain a secret
   */
  static ConfigException quoted(String label, String shown) {
    return new ConfigException(label + "=" + shown + HAS_QUOTES + ": remove them");
  }

  /**
   * The end of a message about missing variables: the variables that the user may have set instead
   * of them.
   */
  String insteadOf(String... missing) {
    if (!source.equals(Source.PROCESS)) {
      return "";
    }
    List<String> given = new UnknownVariables(variables).insteadOf(List.of(missing));
    return given.isEmpty() ? "" : "; you set " + Lines.abbreviate(given);
  }

  Optional<String> text(String name) {
    return note(name, Variable.NONE);
  }

  String text(String name, String byDefault) {
    return note(name, byDefault.isEmpty() ? Variable.NONE : byDefault).orElse(byDefault);
  }

  /**
   * Reads and records a variable.
   *
   * @param byDefault description of the default
   */
  Optional<String> note(String name, String byDefault) {
    Optional<String> value = given(name);
    if (value.filter(Secret::isQuoted).isPresent()) {
      remarks.add(
          label(name) + "=" + shown(value.get()) + HAS_QUOTES + ", which are part of the value");
    }
    if (value.filter(given -> given.contains(UNREADABLE)).isPresent()) {
      remarks.add(
          label(name)
              + "="
              + shown(value.get())
              + " has characters that cannot be decoded in the locale of this process: set"
              + " LC_ALL=C.UTF-8");
    }
    note(
        value
            .map(given -> new Variable(name, Lines.printable(given), source.source(name)))
            .orElse(Variable.byDefault(name, byDefault)));
    return value;
  }

  /** Records a variable, replacing an earlier record of the same name. */
  void note(Variable variable) {
    read.put(variable.name(), variable);
  }

  /** The variables in the order in which they were first read. */
  List<Variable> read() {
    return List.copyOf(read.values());
  }

  /** Log lines about values that are accepted but unusual. */
  List<String> remarks() {
    return List.copyOf(remarks);
  }

  Optional<String> given(String name) {
    return given(name, Secret::trimmed);
  }

  private Optional<String> given(String name, UnaryOperator<String> trim) {
    return Optional.ofNullable(variables.get(name))
        .map(trim)
        .filter(value -> !Secret.trimmed(value).isEmpty());
  }

  String matching(String name, String byDefault, Pattern pattern, String allowed)
      throws ConfigException {
    String value = text(name, byDefault);
    if (!pattern.matcher(value).matches()) {
      throw invalid(name, value, allowed);
    }
    return value;
  }

  /** A variable with the value true or false, in upper or lower case; false by default. */
  boolean flag(String name) throws ConfigException {
    return Boolean.parseBoolean(
        matching(name, "false", Pattern.compile("(?i)true|false"), "true or false"));
  }

  /** The path in a variable; empty if the variable is not set. */
  Optional<Path> path(String name, Predicate<Path> condition, String allowed)
      throws ConfigException {
    Optional<String> value = text(name);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    try {
      Path path = Path.of(value.get());
      if (Files.isReadable(path) && condition.test(path)) {
        return Optional.of(path);
      }
    } catch (InvalidPathException e) {
      // Reported below.
    }
    throw name.endsWith(FILE)
        ? unreadable(name, value.get(), allowed)
        : invalid(name, value.get(), allowed);
  }

  /** A secret from NAME, or from the file named by NAME_FILE, without surrounding white space. */
  Optional<String> secret(String name) throws ConfigException {
    return secret(name, Secret::trimmed).map(Secret::value);
  }

  /** An access key or a secret key. */
  Optional<String> key(String name) throws ConfigException {
    Optional<Secret> key = secret(name, Secret::trimmed);
    return key.isEmpty() ? Optional.empty() : Optional.of(key.get().key());
  }

  /** The user of an app account. */
  Optional<String> user(String name) throws ConfigException {
    Optional<Secret> user = secret(name, Secret::trimmed);
    return user.isEmpty() ? Optional.empty() : Optional.of(user.get().user());
  }

  /** The password of an app account, which can start or end with white space. */
  Optional<String> password(String name) throws ConfigException {
    Optional<Secret> password = secret(name, Secret::withoutLineEnds);
    password.flatMap(Secret::remark).ifPresent(remarks::add);
    return password.map(Secret::value);
  }

  private Optional<Secret> secret(String name, UnaryOperator<String> trim) throws ConfigException {
    Optional<String> direct = given(name, trim);
    Optional<String> file = given(name + FILE);
    note(
        direct.isPresent()
            ? new Variable(name, Variable.MASKED, source.source(name))
            : Variable.byDefault(name, Variable.NONE));
    if (direct.filter(value -> value.contains(UNREADABLE)).isPresent()) {
      throw new ConfigException(
          label(name)
              + "="
              + Variable.MASKED
              + " is not valid: it has characters that cannot be decoded in the locale of this"
              + " process; set LC_ALL=C.UTF-8, or use "
              + name(name + FILE));
    }
    if (file.isEmpty()) {
      return direct.map(value -> new Secret(label(name) + "=" + Variable.MASKED, false, value));
    }
    if (direct.isPresent()) {
      throw conflict(
          name, name(name) + " and " + name(name + FILE) + " are both set: set one of them");
    }
    String content;
    try {
      content = trim.apply(Files.readString(Path.of(file.get())));
    } catch (MalformedInputException e) {
      throw invalid(name + FILE, file.get(), "a text file in UTF-8");
    } catch (IOException | InvalidPathException e) {
      throw unreadable(name + FILE, file.get(), "a file with the secret");
    }
    if (Secret.trimmed(content).isEmpty()) {
      throw invalid(name + FILE, file.get(), "a file that is not empty");
    }
    note(
        new Variable(
            name, Variable.MASKED, source.source(name) + ", file " + Lines.printable(file.get())));
    return Optional.of(new Secret(label(name + FILE) + "=" + shown(file.get()), true, content));
  }

  int number(String name, int byDefault, int min, int max) throws ConfigException {
    String value = text(name, Integer.toString(byDefault));
    String allowed = "a whole number from " + min + " to " + max;
    try {
      int number = Integer.parseInt(value);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Reported below.
    }
    throw invalid(name, value, allowed);
  }

  /** A duration in seconds, with optional decimals. */
  Duration seconds(String name, String byDefault, String min, String max) throws ConfigException {
    return Duration.ofMillis(
        decimal(name, byDefault, min, max, "seconds").movePointRight(3).longValue());
  }

  /** A number with optional decimals. */
  double decimal(String name, String byDefault, String min, String max) throws ConfigException {
    return decimal(name, byDefault, min, max, "a number").doubleValue();
  }

  private BigDecimal decimal(String name, String byDefault, String min, String max, String allowed)
      throws ConfigException {
    String value = text(name, byDefault);
    try {
      BigDecimal number = new BigDecimal(value);
      if (number.compareTo(new BigDecimal(min)) >= 0
          && number.compareTo(new BigDecimal(max)) <= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Reported below.
    }
    throw invalid(name, value, allowed + " from " + min + " to " + max);
  }

  /** An error in the path of a file that cannot be read, with the reason. */
  ConfigException unreadable(String variable, String file, String allowed) {
    return invalid(variable, file, allowed + ", but " + Lines.unreadable(file));
  }

  /** An error in the value of a variable. */
  ConfigException invalid(String variable, String value, String allowed) {
    return bad(label(variable), value, allowed);
  }

  /**
   * An error in a value.
   *
   * @param name the name of a variable of the process, or a label
   */
  static ConfigException bad(String name, String value, String allowed) {
    return Secret.isQuoted(value)
        ? quoted(name, shown(value))
        : new ConfigException(name + "=" + shown(value) + " is not valid: expected " + allowed);
  }

  private static String shown(String value) {
    String printable = Lines.printable(value).replaceAll("\\p{Cf}", "?");
    return printable.length() <= SHOWN_CHARACTERS
        ? printable
        : printable.substring(0, SHOWN_CHARACTERS) + "...";
  }
}
