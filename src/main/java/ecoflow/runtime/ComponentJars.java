package ecoflow.runtime;

import ecoflow.config.ConfigException;
import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The jars of ECOFLOW_LIB_DIR, with components for the user's routes, and those of the command lib.
 * The launcher adds the former to the class path; otherwise, a class loader loads them.
 */
public final class ComponentJars {

  private ComponentJars() {}

  /**
   * Makes the jars visible to Camel, which uses the context class loader of the thread. Call it
   * before any Camel class is used.
   */
  public static void load(Optional<Path> directory) throws ConfigException {
    if (directory.isPresent()) {
      try {
        add(directory.get());
      } catch (IOException e) {
        throw new ConfigException("ECOFLOW_LIB_DIR=" + directory.get() + " cannot be read");
      }
    }
  }

  /**
   * Makes the jars of the command lib visible, which are in a directory next to the jar of the
   * distribution. Has no effect if the directory is missing or cannot be read.
   */
  public static void loadTools() {
    try {
      URI jar = ComponentJars.class.getProtectionDomain().getCodeSource().getLocation().toURI();
      Path tools = Path.of(jar).resolveSibling("tools");
      if (Files.exists(tools.resolve("ecoflow-tools.jar"))) {
        add(tools);
      }
    } catch (URISyntaxException | IOException e) {
      // The caller reports that the command is missing.
    }
  }

  private static void add(Path directory) throws IOException {
    Set<Path> known = new HashSet<>();
    for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator)) {
      known.add(Path.of(entry).toAbsolutePath().normalize());
    }
    List<URL> added = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.sorted().toList()) {
        if (file.toString().endsWith(".jar")
            && !known.contains(file.toAbsolutePath().normalize())) {
          added.add(url(file));
        }
      }
    }
    if (!added.isEmpty()) {
      Thread thread = Thread.currentThread();
      // Never closed, because it is needed until the process ends.
      thread.setContextClassLoader(
          new URLClassLoader(added.toArray(URL[]::new), thread.getContextClassLoader()));
    }
  }

  private static URL url(Path file) {
    try {
      return file.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalStateException("Every file has a URL", e);
    }
  }
}
