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

/** The distribution that the build has made, unpacked and started by its launcher. */
public final class Distribution {

  /** Start of the names of native libraries: they are on the class path, but they are unpacked. */
  public static final String MACHINE_CODE = "netty-tcnative-boringssl-static-";

  private final Path folder;

  private Distribution(Path folder) {
    this.folder = folder;
  }

  /** Unpacks it into an existing directory. */
  public static Distribution unpackedIn(Path parent) {
    Path archive = Path.of(System.getProperty("exporter.distribution"));
    ChildProcess.run(parent, parent.resolve("tar.log"), "tar", "xzf", archive.toString());
    return new Distribution(
        parent.resolve(archive.getFileName().toString().replace(".tar.gz", "")));
  }

  public Path folder() {
    return folder;
  }

  /** The names of all jars on the class path of the exporter's jar. */
  public Set<String> classPath() throws IOException {
    try (JarFile jar = new JarFile(folder.resolve("lib/ecoflow-exporter.jar").toFile())) {
      return Set.of(jar.getManifest().getMainAttributes().getValue("Class-Path").split(" "));
    }
  }

  public Path launcher() {
    return folder.resolve("bin/ecoflow-exporter");
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
    List<String> words = new ArrayList<>(List.of(command));
    if (!words.contains(launcher().toString())) {
      words.add(0, launcher().toString());
    }
    return ChildProcess.start(folder, output, all, words);
  }

  /** The start-up archives that it has created, and other files next to them. */
  public List<Path> archives() {
    return files(folder.resolve("cache"));
  }

  public void deleteArchives() {
    archives().forEach(Distribution::delete);
  }

  /** All files of a directory; empty if it does not exist. */
  public static List<Path> files(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
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
