package ecoflow.routes;

import ecoflow.config.ConfigException;
import ecoflow.config.KafkaSettings.Role;
import ecoflow.config.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;

/**
 * The route files of a run: the packaged ones of the mode, and those of ECOFLOW_ROUTES_DIR. A
 * user's file replaces the packaged file of the same name.
 *
 * @param locations Camel locations, one for each file, because for a pattern such as
 *     routes/*.camel.yaml Camel reads the whole jar twice, which takes longer than the rest of the
 *     start
 * @param line log line that lists the user's files; empty without ECOFLOW_ROUTES_DIR
 */
public record RouteFiles(List<String> locations, Optional<String> line) {

  /** The suffix of the names of route files. */
  public static final String SUFFIX = ".camel.yaml";

  private static final List<String> ALL_MODES =
      List.of(
          "metrics-page",
          "health",
          "landing-page",
          "unknown-messages",
          "device-collection",
          "quotas",
          "cloud-call",
          "first-contact",
          "unexpected-errors");
  private static final List<String> POLLS =
      List.of("rest-device-list", "rest-device-values", "http-redelivery");
  private static final List<String> ACCOUNT =
      List.of("connection", "account-login", "account-messages", "account-requests", "payload");
  private static final List<String> OPEN = List.of("open-login", "open-messages");

  /** The files that need developer keys and ECOFLOW_HISTORY_INTERVAL. */
  private static final List<String> HISTORY = List.of("energy-history");

  /** The files that need an accounts file. */
  private static final List<String> ACCOUNTS_FILE = List.of("accounts-page");

  /** The files that decode and show values, which are not part of role collect. */
  private static final List<String> DECODING =
      List.of("unknown-messages", "device-collection", "quotas", "payload", "energy-history");

  /** The files of role collect in the jar ecoflow-fleet.jar. */
  private static final List<String> COLLECT = List.of("kafka-collect");

  /** The files of role serve in the jar ecoflow-fleet.jar. */
  private static final List<String> SERVE = List.of("kafka-serve");

  /** The packaged files that role serve also loads. */
  private static final List<String> SERVING =
      List.of(
          "metrics-page",
          "health",
          "landing-page",
          "unknown-messages",
          "device-collection",
          "quotas",
          "payload",
          "open-messages",
          "unexpected-errors");

  /** The account files that mode Open loads as well. */
  private static final List<String> ACCOUNT_AND_OPEN = List.of("connection", "payload");

  /**
   * The files that run with these settings.
   *
   * @throws ConfigException if ECOFLOW_ROUTES_DIR cannot be read
   */
  public static RouteFiles of(Settings settings) throws ConfigException {
    Optional<Path> directory = settings.routesDir();
    Role role = settings.kafka().role();
    List<String> own = directory.isPresent() ? list(directory.get()) : List.of();
    Map<String, String> locations = new LinkedHashMap<>();
    // Routes start in this order: the metrics page first.
    loaded(settings).forEach(name -> locations.put(name, packaged(name)));
    own.stream()
        .filter(name -> isUsed(role, name))
        .forEach(name -> locations.put(name, "file:" + directory.get().resolve(name)));
    return new RouteFiles(
        List.copyOf(locations.values()), directory.map(path -> line(path, role, own)));
  }

  /** The names of the packaged files that {@code routes export} writes in a role, sorted. */
  public static List<String> exported(Role role) {
    return role == Role.ALL
        ? packaged()
        : Stream.concat(
                packaged().stream(),
                Stream.of(COLLECT, SERVE).flatMap(List::stream).map(RouteFiles::file))
            .sorted()
            .toList();
  }

  /**
   * Opens a packaged file.
   *
   * @throws IllegalStateException if it is not on the class path
   */
  public static InputStream open(String file) {
    InputStream content = RouteFiles.class.getResourceAsStream("/" + path(file));
    if (content == null) {
      throw new IllegalStateException("No packaged file " + file);
    }
    return content;
  }

  /** The names of the packaged files of a process without Kafka, sorted. */
  public static List<String> packaged() {
    return Stream.of(ALL_MODES, POLLS, HISTORY, ACCOUNT, OPEN, ACCOUNTS_FILE)
        .flatMap(List::stream)
        .map(RouteFiles::file)
        .sorted()
        .toList();
  }

  /** The locations of the packaged files that run with these settings. */
  static List<String> packaged(Settings settings) {
    return loaded(settings).stream().map(RouteFiles::packaged).toList();
  }

  /**
   * Loads packaged files into a context that Camel Main does not create.
   *
   * @param names without {@value #SUFFIX}
   */
  public static void load(CamelContext camel, List<String> names) throws Exception {
    for (String name : names) {
      PluginHelper.getRoutesLoader(camel)
          .loadRoutes(ResourceHelper.resolveMandatoryResource(camel, packaged(file(name))));
    }
  }

  /** Whether a route is in a packaged file, or in a user's file that replaces a packaged file. */
  public static boolean isPackaged(Route route) {
    Resource source = route.getSourceResource();
    return source != null && isPackagedLocation(source.getLocation());
  }

  /** Whether a file at this location is a packaged file or replaces one. */
  static boolean isPackagedLocation(String location) {
    return isPackaged(location.replaceFirst("^.*[/:]", ""));
  }

  private static List<String> loaded(Settings settings) {
    List<String> all = of(settings.hasAccountsFile(), settings.mode());
    return switch (settings.kafka().role()) {
      case ALL ->
          hasHistory(settings)
              ? Stream.concat(all.stream(), HISTORY.stream().map(RouteFiles::file)).toList()
              : all;
      case COLLECT ->
          Stream.concat(all.stream(), COLLECT.stream().map(RouteFiles::file))
              .filter(file -> isUsed(Role.COLLECT, file))
              .toList();
      case SERVE -> Stream.concat(SERVING.stream(), SERVE.stream()).map(RouteFiles::file).toList();
    };
  }

  private static boolean hasHistory(Settings settings) {
    return settings.historyInterval().isPresent()
        && (settings.hasAccountsFile() || !settings.mode().usesAccount());
  }

  /**
   * Whether the role uses a packaged file or a file of the user. Collectors and servers can share a
   * directory: the replacement of a packaged file of another role would start routes for which the
   * role has no beans, or a second route of an endpoint.
   */
  private static boolean isUsed(Role role, String file) {
    String name = file.replace(SUFFIX, "");
    return !isPackaged(file)
        || switch (role) {
          case ALL -> !isOfFleet(file);
          case COLLECT -> !DECODING.contains(name) && !SERVE.contains(name);
          case SERVE -> SERVING.contains(name) || SERVE.contains(name);
        };
  }

  private static boolean isOfFleet(String file) {
    String name = file.replace(SUFFIX, "");
    return COLLECT.contains(name) || SERVE.contains(name);
  }

  /**
   * @param hasAllModes whether accounts of all modes are possible
   */
  private static List<String> of(boolean hasAllModes, Settings.Mode mode) {
    if (hasAllModes) {
      return Stream.of(ALL_MODES, POLLS, ACCOUNT, OPEN, ACCOUNTS_FILE)
          .flatMap(List::stream)
          .map(RouteFiles::file)
          .toList();
    }
    Stream<List<String>> ofMode =
        switch (mode) {
          case REST -> Stream.of(POLLS);
          case OPEN -> Stream.of(POLLS, OPEN, ACCOUNT_AND_OPEN);
          case MQTT, DEVICE -> Stream.of(ACCOUNT);
        };
    return Stream.concat(Stream.of(ALL_MODES), ofMode)
        .flatMap(List::stream)
        .map(RouteFiles::file)
        .toList();
  }

  private static String file(String name) {
    return name + SUFFIX;
  }

  private static String packaged(String file) {
    return "classpath:" + path(file);
  }

  private static String path(String file) {
    return (isOfFleet(file) ? "routes-fleet/" : "routes/") + file;
  }

  private static boolean isPackaged(String file) {
    return packaged().contains(file) || isOfFleet(file);
  }

  /**
   * The user's files in a directory, one line each: the name and the definitions.
   *
   * @throws ConfigException if the directory cannot be read
   */
  public static List<String> read(Path directory) throws ConfigException {
    List<String> lines = new ArrayList<>();
    for (String name : list(directory)) {
      String contents;
      try {
        contents = RouteLint.contents(Files.readString(directory.resolve(name)));
      } catch (IOException e) {
        contents = "the file cannot be read";
      }
      lines.add(name + (isPackaged(name) ? " (replaces the packaged one): " : ": ") + contents);
    }
    return lines;
  }

  /**
   * Warnings about files in a directory that are not read although they seem to be route files.
   *
   * @throws ConfigException if the directory cannot be read
   */
  public static List<String> ignored(Path directory) throws ConfigException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.sorted().toList()) {
        String name = directory.relativize(file).toString();
        if (Files.isDirectory(file)) {
          if (!name.startsWith(".") && hasYaml(file)) {
            lines.add(file + " is ignored: route files must be in the directory itself");
          }
        } else if (name.matches("(?i).+\\.(ya?ml|xml|java)") && !name.endsWith(SUFFIX)) {
          lines.add(file + " is ignored: the names of route files end in " + SUFFIX);
        }
      }
    } catch (IOException e) {
      throw unreadable(directory);
    }
    return lines;
  }

  private static boolean hasYaml(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.anyMatch(file -> file.toString().matches("(?i).+\\.ya?ml"));
    }
  }

  private static ConfigException unreadable(Path directory) {
    return new ConfigException(Settings.ROUTES_DIR + "=" + directory + " cannot be read");
  }

  private static String line(Path directory, Role role, List<String> own) {
    if (own.isEmpty()) {
      return directory + " contains no route files (*" + SUFFIX + ")";
    }
    List<String> listed = new ArrayList<>();
    for (String name : own) {
      listed.add(
          !isUsed(role, name)
              ? name + " (not used in role " + role.label() + ")"
              : isPackaged(name) ? name + " (replaces the packaged one)" : name);
    }
    return "Routes from " + directory + ": " + String.join(", ", listed);
  }

  private static List<String> list(Path directory) throws ConfigException {
    try (Stream<Path> files = Files.list(directory)) {
      List<String> names =
          files
              .filter(Files::isRegularFile)
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(SUFFIX))
              .sorted()
              .collect(Collectors.toList());
      for (String name : names) {
        if (!name.matches("[\\w .()+@-]+")) {
          throw new ConfigException(
              directory.resolve(name)
                  + " has a name that Camel treats as a pattern: rename the file");
        }
      }
      return names;
    } catch (IOException e) {
      throw unreadable(directory);
    }
  }
}
