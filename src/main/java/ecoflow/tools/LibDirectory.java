package ecoflow.tools;

import ecoflow.command.CallFailure;
import ecoflow.config.ConfigException;
import ecoflow.text.Lines;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The directory of the component jars, with a record of the artifacts that were added by the
 * command lib. Other jars in the directory are not changed.
 */
final class LibDirectory {

  private static final String RECORD = "added.txt";
  private static final String HEADING =
      "# Written by \"ecoflow-exporter lib\": the added artifacts, each with all jars that it requires";
  private static final Pattern LINE =
      Pattern.compile("[\\w.+-]+:[\\w.+-]+:[\\w.+-]+( [\\w.+-]+\\.jar)+");

  private final Path directory;
  private final Path record;

  LibDirectory(Path directory) {
    this.directory = directory;
    record = directory.resolve(RECORD);
  }

  Path path() {
    return directory;
  }

  /**
   * The names of the jars of each added artifact, by its coordinates.
   *
   * @throws ConfigException if the record is not valid
   */
  Map<String, Set<String>> added() throws ConfigException {
    Map<String, Set<String>> added = new LinkedHashMap<>();
    if (!Files.exists(record)) {
      return added;
    }
    List<String> lines;
    try {
      lines = Files.readAllLines(record);
    } catch (IOException e) {
      throw new ConfigException(record + " cannot be read: " + Lines.unreadable(record.toString()));
    }
    for (int i = 1; i < lines.size(); i++) {
      if (!LINE.matcher(lines.get(i)).matches()) {
        throw new ConfigException(
            record
                + ":"
                + (i + 1)
                + " is not valid: expected GROUP:ARTIFACT:VERSION and the names of its jars; delete"
                + " the file and its jars, and add the artifacts again");
      }
      List<String> words = Arrays.asList(lines.get(i).split(" "));
      added.put(words.get(0), new TreeSet<>(words.subList(1, words.size())));
    }
    return added;
  }

  /** The size of a jar in bytes; 0 if it does not exist. */
  long size(String jar) {
    return directory.resolve(jar).toFile().length();
  }

  /**
   * Locks the directory for changes. Deletes files of a command that was killed.
   *
   * @throws ConfigException if the directory is not writable
   * @throws CallFailure if another command is running
   */
  Change change() throws ConfigException, CallFailure {
    Path work = directory.resolve(".work");
    try {
      Files.createDirectories(work);
      FileChannel lock =
          FileChannel.open(
              work.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (lock.tryLock() == null) {
        lock.close();
        throw new CallFailure("", "another command is changing " + directory);
      }
      return new Change(work, lock);
    } catch (IOException e) {
      throw new ConfigException(
          "ECOFLOW_LIB_DIR="
              + directory
              + " is not valid: expected a writable directory, or the path of a new one");
    }
  }

  /** A change of the directory. Until {@link #apply}, all files are in the working directory. */
  final class Change implements AutoCloseable {

    private final Path work;
    private final FileChannel lock;

    Change(Path work, FileChannel lock) throws IOException {
      this.work = work;
      this.lock = lock;
      deleteFiles();
    }

    /** The directory for downloaded files. */
    Path work() {
      return work;
    }

    /**
     * Adds jars and deletes those that no artifact requires any more.
     *
     * @param jars complete files in the working directory
     * @param added the new record
     * @return the names of the deleted jars
     */
    Set<String> apply(Collection<Path> jars, Map<String, Set<String>> added)
        throws ConfigException, CallFailure {
      Set<String> obsolete = names(added());
      obsolete.removeAll(names(added));
      List<Path> moved = new ArrayList<>();
      try {
        Path lines = work.resolve(RECORD);
        Files.write(
            lines,
            Stream.concat(
                    Stream.of(HEADING),
                    added.entrySet().stream()
                        .map(entry -> entry.getKey() + " " + String.join(" ", entry.getValue())))
                .toList());
        for (Path jar : jars) {
          Path target = directory.resolve(jar.getFileName());
          Files.move(jar, target, StandardCopyOption.ATOMIC_MOVE);
          moved.add(target);
        }
        Files.move(lines, record, StandardCopyOption.ATOMIC_MOVE);
        moved.clear();
        for (String jar : obsolete) {
          Files.deleteIfExists(directory.resolve(jar));
        }
        return obsolete;
      } catch (IOException e) {
        delete(moved);
        throw new CallFailure("", "cannot write to " + directory + " (" + Lines.describe(e) + ")");
      }
    }

    private static void delete(List<Path> jars) {
      for (Path jar : jars) {
        try {
          Files.deleteIfExists(jar);
        } catch (IOException e) {
          // The next command replaces the jar.
        }
      }
    }

    private void deleteFiles() throws IOException {
      try (Stream<Path> files = Files.walk(work)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          if (!file.equals(work) && !file.endsWith("lock")) {
            Files.delete(file);
          }
        }
      }
    }

    @Override
    public void close() throws CallFailure {
      try (lock) {
        deleteFiles();
        Files.delete(work.resolve("lock"));
        Files.delete(work);
      } catch (IOException e) {
        throw new CallFailure("", "cannot delete " + work + " (" + Lines.describe(e) + ")");
      }
    }
  }

  static Set<String> names(Map<String, Set<String>> added) {
    return added.values().stream()
        .flatMap(Set::stream)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
