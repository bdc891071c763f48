package ecoflow;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The route files that run: the packaged ones of the mode, and over them those of the user's
 * folder. A file with the name of a packaged one stands in its place.
 *
 * @param locations as Camel names them, one for each file; each by its own name, for Camel reads
 *     all of the jar, twice, to find what a pattern means
 * @param line for the log which files are the user's; empty without any
 */
record RouteFiles(List<String> locations, Optional<String> line) {

  static final String ENDING = ".camel.yaml";

  /**
   * @param ofMode names of the packaged files that run without the folder
   * @param packaged names of all packaged files
   * @throws ConfigException when the folder cannot be read
   */
  static RouteFiles of(List<String> ofMode, List<String> packaged, Optional<Path> folder)
      throws ConfigException {
    List<String> own = folder.isPresent() ? list(folder.get()) : List.of();
    // Routes start in this order: the page first.
    Map<String, String> locations = new LinkedHashMap<>();
    ofMode.forEach(name -> locations.put(name, "classpath:routes/" + name));
    own.forEach(name -> locations.put(name, "file:" + folder.get().resolve(name)));
    List<String> told = new ArrayList<>();
    for (String name : own) {
      told.add(packaged.contains(name) ? name + " (replaces the packaged one)" : name);
    }
    return new RouteFiles(
        List.copyOf(locations.values()),
        folder.map(
            path ->
                told.isEmpty()
                    ? path + " has no route files, which end in " + ENDING
                    : "Routes from " + path + ": " + String.join(", ", told)));
  }

  private static List<String> list(Path folder) throws ConfigException {
    try (Stream<Path> files = Files.list(folder)) {
      List<String> names =
          files
              .filter(Files::isRegularFile)
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(ENDING))
              .sorted()
              .collect(Collectors.toList());
      for (String name : names) {
        if (!name.matches("[\\w .()+@-]+")) {
          throw new ConfigException(
              folder.resolve(name) + " has a name that Camel reads as a pattern: rename it");
        }
      }
      return names;
    } catch (IOException e) {
      throw new ConfigException(Settings.ROUTES_DIR + "=" + folder + " cannot be read");
    }
  }
}
