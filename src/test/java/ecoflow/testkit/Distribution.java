package ecoflow.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** The unpacked distribution, which is started by its launcher. */
public final class Distribution {

  /** The prefix of native libraries, which are unpacked although they are on the class path. */
  public static final String NATIVE_LIBRARY_PREFIX = "netty-tcnative-boringssl-static-";

  private final Path directory;

  private Distribution(Path directory) {
    this.directory = directory;
  }

  /** Unpacks it into an existing directory. */
  public static Distribution unpackedIn(Path parent) {
    Path archive = Path.of(System.getProperty("exporter.distribution"));
    ChildProcess.run(parent, parent.resolve("tar.log"), "tar", "xzf", archive.toString());
    return new Distribution(
        parent.resolve(archive.getFileName().toString().replace(".tar.gz", "")));
  }

  public Path directory() {
    return directory;
  }

  /** The names of all jars on the class path of the exporter's jar. */
  public Set<String> classPath() throws IOException {
    try (JarFile jar = new JarFile(directory.resolve("lib/ecoflow-exporter.jar").toFile())) {
      return Set.of(jar.getManifest().getMainAttributes().getValue("Class-Path").split(" "));
    }
  }

  public Path launcher() {
    return directory.resolve("bin/ecoflow-exporter");
  }

  /**
   * Starts the launcher, by default with the Java runtime of the tests.
   *
   * @param output the file for the output
   * @param command the program that runs the launcher, if it is not run directly, then the
   *     launcher's arguments
   */
  public ChildProcess start(Path output, Map<String, String> variables, String... command) {
    Map<String, String> all = new HashMap<>(variables);
    all.putIfAbsent("JAVA_HOME", System.getProperty("java.home"));
    List<String> fullCommand = new ArrayList<>(List.of(command));
    if (!fullCommand.contains(launcher().toString())) {
      fullCommand.add(0, launcher().toString());
    }
    return ChildProcess.start(directory, output, all, fullCommand);
  }

  /** The start-up archives that the launcher has created, and other files in their directory. */
  public List<Path> archives() {
    return files(directory.resolve("cache"));
  }

  public void deleteArchives() {
    archives().forEach(Distribution::delete);
  }

  /** All files of a directory; empty if it does not exist. */
  public static List<Path> files(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
