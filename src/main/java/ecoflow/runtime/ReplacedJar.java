package ecoflow.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.ZipException;

/**
 * Ends the process with one line and exit code 3 if a class cannot be loaded because a jar of the
 * class path was replaced. The Java runtime reads classes from the jar when they are first used;
 * without this class, each task that needs another class fails, and some of them never end.
 *
 * <p>The jars are only checked after such an error. It halts the JVM, because an orderly shutdown
 * needs further classes. For the same reason, everything it uses is loaded in advance.
 */
final class ReplacedJar {

  private static final FileOutputStream ERR = new FileOutputStream(FileDescriptor.err);
  private static final int MAX_CAUSES = 20;
  private static final long CLOCK_CHANGE_MILLIS = 60_000;

  /** The jars of the class path at the start. The manifests of these jars list further jars. */
  private static List<Path> jars = List.of();

  private static List<String> states = List.of();
  private static long startMillis;
  private static long startNanos;

  private ReplacedJar() {}

  /** Records the state of the jars. */
  static synchronized void watchProcess() {
    List<Path> paths = new ArrayList<>();
    List<String> found = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator)) {
      if (entry.endsWith(".jar")) {
        Path jar = Path.of(entry).toAbsolutePath();
        paths.add(jar);
        found.add(state(jar));
      }
    }
    startMillis = System.currentTimeMillis();
    startNanos = System.nanoTime();
    states = found;
    jars = paths;
  }

  /** Ends the process if a class could not be loaded and a jar was replaced. */
  static void endIf(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
      if (cause instanceof LinkageError
          || cause instanceof ClassNotFoundException
          || cause instanceof ZipException) {
        endIfReplaced();
        return;
      }
      cause = cause.getCause();
    }
  }

  private static synchronized void endIfReplaced() {
    String replaced = replaced();
    if (replaced.isEmpty()) {
      return;
    }
    try {
      String line =
          "ecoflow-exporter: "
              + replaced
              + " was replaced while the exporter was running; exiting with exit code "
              + OutOfMemory.EXIT_CODE
              + System.lineSeparator();
      ERR.write(line.getBytes(UTF_8));
    } catch (IOException e) {
      // An exit without a line is better than continuing.
    } finally {
      Runtime.getRuntime().halt(OutOfMemory.EXIT_CODE);
    }
  }

  /** The path of a replaced or removed jar; empty if there is none. */
  private static String replaced() {
    for (int i = 0; i < jars.size(); i++) {
      if (!state(jars.get(i)).equals(states.get(i))) {
        return jars.get(i).toString();
      }
    }
    for (Path jar : jars) {
      for (Path other : listed(jar)) {
        if (isChanged(other)) {
          return other.toString();
        }
      }
    }
    return "";
  }

  /** The size, the time of the last change and the file number of a jar; empty if it is missing. */
  private static String state(Path jar) {
    try {
      BasicFileAttributes now = Files.readAttributes(jar, BasicFileAttributes.class);
      return now.size() + " " + now.lastModifiedTime().toMillis() + " " + now.fileKey();
    } catch (IOException e) {
      return "";
    }
  }

  /** The jars in the manifest of a jar. */
  private static List<Path> listed(Path jar) {
    List<Path> listed = new ArrayList<>();
    try (JarFile file = new JarFile(jar.toFile())) {
      Manifest manifest = file.getManifest();
      String names =
          manifest == null
              ? null
              : manifest.getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
      for (String name : names == null ? new String[0] : names.trim().split(" +")) {
        if (name.endsWith(".jar")) {
          listed.add(jar.resolveSibling(name));
        }
      }
    } catch (IOException e) {
      return List.of();
    }
    return listed;
  }

  /**
   * Whether a jar is missing, or was changed after the start. After a change of the clock, for
   * example of a machine without a battery, this cannot be determined.
   */
  private static boolean isChanged(Path jar) {
    long elapsed = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos);
    boolean isClockSteady =
        Math.abs(System.currentTimeMillis() - startMillis - elapsed) < CLOCK_CHANGE_MILLIS;
    return !Files.exists(jar) || (isClockSteady && changedMillis(jar) > startMillis);
  }

  /** The time of the last change of the file or of its name, which copying tools do not set. */
  private static long changedMillis(Path jar) {
    try {
      Object changed = Files.getAttribute(jar, "unix:ctime", LinkOption.NOFOLLOW_LINKS);
      return changed instanceof FileTime time ? time.toMillis() : 0;
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return 0;
    }
  }
}
