package ecoflow.config;

import ecoflow.text.Lines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The variables of the environment that start with {@code ECOFLOW_} but that nothing reads, because
 * their names are misspelt. Only names are logged, because a value can be a secret.
 */
final class UnknownVariables {

  private static final String PREFIX = "ECOFLOW_";
  private static final int CHARACTERS_PER_TYPO = 4;
  private static final long MAX_FILE_BYTES = 1 << 20;

  /**
   * The variables that Kubernetes sets in each container for a Service whose name starts with
   * "ecoflow".
   */
  private static final Pattern OF_SERVICE =
      Pattern.compile(
          "ECOFLOW_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?"
              + "|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");

  /** The value of another variable of a Service, {@code ..._PORT}. */
  private static final Pattern SERVICE_URL = Pattern.compile("(tcp|udp|sctp)://.*");

  /**
   * A variable in a route file: its name, as in {@code {{env:ECOFLOW_X}}}, or a placeholder {@code
   * {{ecoflow.x}}}, which Camel also reads from ECOFLOW_X.
   */
  private static final Pattern IN_ROUTE_FILE =
      Pattern.compile(
          "\\bECOFLOW_\\w+|(?<=env[:.])(?i:ecoflow)\\w+|(?<=\\{\\{[?!]?)ecoflow[.\\w-]+");

  /** Words in the names of variables that users set instead of the credentials. */
  private static final Map<String, Pattern> CREDENTIALS =
      Map.of(
          Settings.ACCESS_KEY, Pattern.compile("ECO_?FLOW.*(ACCESS|(APP|API)_?KEY)"),
          Settings.SECRET_KEY, Pattern.compile("ECO_?FLOW.*SECRET"),
          Settings.USER, Pattern.compile("ECO_?FLOW.*(USER|MAIL|LOGIN)"),
          Settings.PASSWORD, Pattern.compile("ECO_?FLOW.*(PASS|PWD)"));

  private final Map<String, String> variables;
  private final Set<String> known = AccountKeys.knownVariables();

  UnknownVariables(Map<String, String> variables) {
    this.variables = variables;
  }

  /** One line for each unknown variable, in alphabetical order. */
  List<String> lines() {
    return unknown().stream()
        .map(
            name ->
                Lines.oneLine(name)
                    + " is unknown"
                    + similar(name)
                        .map(other -> "; did you mean " + other + "?")
                        .orElse(" and has no effect"))
        .toList();
  }

  /**
   * The variables that a user may have set instead of these ones: unknown ones with a similar name,
   * and those with the name of a credential but another prefix.
   */
  List<String> insteadOf(List<String> missing) {
    Predicate<String> isMeant = name -> missing.stream().anyMatch(one -> isMeant(name, one));
    return Stream.concat(
            unknown().stream(),
            variables.keySet().stream().filter(name -> !isPrefixed(name) && isSet(name)))
        .filter(isMeant)
        .sorted()
        .map(Lines::oneLine)
        .toList();
  }

  private boolean isMeant(String name, String missing) {
    String upper = name.toUpperCase(Locale.ROOT);
    if (PREFIX.concat(upper).equals(missing)) {
      return true;
    }
    Optional<String> similar = isPrefixed(name) ? similar(name) : Optional.empty();
    if (similar.isPresent()) {
      return similar.get().equals(missing) || similar.get().equals(missing + Environment.FILE);
    }
    Pattern words = CREDENTIALS.get(missing);
    return words != null && words.matcher(upper).lookingAt();
  }

  private Set<String> unknown() {
    Set<String> unknown =
        variables.keySet().stream()
            .filter(name -> isPrefixed(name) && isSet(name) && !known.contains(name))
            .filter(name -> !isOfService(name))
            .collect(Collectors.toCollection(TreeSet::new));
    if (!unknown.isEmpty()) {
      Set<String> read = inRouteFiles();
      known.addAll(read);
      unknown.removeIf(name -> read.contains(name.toUpperCase(Locale.ROOT)));
    }
    return unknown;
  }

  private static boolean isPrefixed(String name) {
    return name.regionMatches(true, 0, PREFIX, 0, PREFIX.length());
  }

  /** Whether the variable has a value: Compose files pass unset variables as empty ones. */
  private boolean isSet(String name) {
    return !Secret.trimmed(variables.get(name)).isEmpty();
  }

  private boolean isOfService(String name) {
    return OF_SERVICE.matcher(name).matches()
        || (name.endsWith("_PORT") && SERVICE_URL.matcher(variables.get(name)).matches());
  }

  /** The known name that is most similar to an unknown one. */
  private Optional<String> similar(String name) {
    String own = name.toUpperCase(Locale.ROOT).substring(PREFIX.length());
    if (known.contains(own)) {
      // Variables of the Python exporter have no prefix.
      return Optional.of(own);
    }
    int max = Math.max(1, own.length() / CHARACTERS_PER_TYPO);
    return Lines.nearest(name, known, max)
        .or(() -> Lines.nearest(own, known, max))
        .or(
            () ->
                known.stream()
                    .filter(other -> other.startsWith(PREFIX + own + "_"))
                    .min(Comparator.comparingInt(String::length)));
  }

  /** The names in the files of ECOFLOW_ROUTES_DIR, in upper case. */
  private Set<String> inRouteFiles() {
    Set<String> names = new TreeSet<>();
    String directory = Secret.trimmed(variables.getOrDefault(Settings.ROUTES_DIR, ""));
    if (directory.isEmpty()) {
      return names;
    }
    for (Path file : files(directory)) {
      Matcher name = IN_ROUTE_FILE.matcher(content(file));
      while (name.find()) {
        names.add(name.group().toUpperCase(Locale.ROOT).replaceAll("[.-]", "_"));
      }
    }
    return names;
  }

  // Other classes report directories and files that cannot be read.

  private static List<Path> files(String directory) {
    try (Stream<Path> files = Files.list(Path.of(directory))) {
      return files.toList();
    } catch (IOException | UncheckedIOException | InvalidPathException e) {
      return List.of();
    }
  }

  private static String content(Path file) {
    try {
      return Files.isRegularFile(file) && Files.size(file) <= MAX_FILE_BYTES
          ? Files.readString(file)
          : "";
    } catch (IOException e) {
      return "";
    }
  }
}
