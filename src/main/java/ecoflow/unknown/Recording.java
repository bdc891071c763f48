package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file with masked messages, which users can share: one line of JSON per message. A file that is
 * full ends the recording, or is renamed.
 */
final class Recording {

  static final String UNKNOWN = "unknown.jsonl";

  private static final long MAX_BYTES = 4L << 20;
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private static final Pattern NUMBER = Pattern.compile("X{4}([0-9]{4})|(?:58){4}((?:3[0-9]){4})");

  private final Path directory;
  private final String name;
  private final Path file;
  private final String content;

  /** The number of files; 1 if a full file ends the recording. */
  private final int files;

  private final Consumer<String> warnings;
  private long size;
  private boolean hasEnded;

  /** Whether the last line is not complete, for example after a power failure. */
  private boolean isIncomplete;

  /** Whether the file is from before the start of the process. */
  private boolean isOld;

  private Recording(
      Path directory, String name, int files, String content, Consumer<String> warnings) {
    this.directory = directory;
    this.name = name;
    this.file = directory.resolve(name);
    this.files = files;
    this.content = content;
    this.warnings = warnings;
    try {
      size = Files.exists(file) ? Files.size(file) : 0;
      if (Files.exists(file) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        // Opening a pipe for writing blocks until a process reads from it, and a symbolic link
        // would change the mode of another file.
        end("is not a regular file");
      } else {
        isIncomplete = size > 0 && last() != '\n';
      }
    } catch (IOException e) {
      end("cannot be read");
    }
  }

  /**
   * The recording of unknown messages, which continues an existing file.
   *
   * @param warnings receives a line if the recording ends
   */
  static Recording ofUnknown(Path directory, Consumer<String> warnings) {
    return new Recording(directory, UNKNOWN, 1, "unknown messages", warnings);
  }

  /**
   * A recording that renames an existing file at its first message, and a full file. The previous
   * files of {@code messages.jsonl} are {@code messages.1.jsonl}, {@code messages.2.jsonl} and so
   * on; the oldest one is deleted.
   *
   * @param warnings receives a line if the recording ends
   */
  static Recording rotating(Path directory, String name, int files, Consumer<String> warnings) {
    Recording recording = new Recording(directory, name, files, "messages", warnings);
    recording.isOld = recording.size > 0;
    return recording;
  }

  private byte last() throws IOException {
    try (FileChannel content = FileChannel.open(file)) {
      ByteBuffer last = ByteBuffer.allocate(1);
      content.read(last, size - 1);
      return last.get(0);
    }
  }

  boolean hasEnded() {
    return hasEnded;
  }

  /**
   * The highest number of a replaced serial number in the file, in plain text or in hexadecimal; 0
   * if there is none. Numbers in other encodings are not recognised.
   */
  int lastNumber() {
    int last = 0;
    try (Stream<String> lines = size == 0 ? Stream.empty() : Files.lines(file, ISO_8859_1)) {
      for (String line : (Iterable<String>) lines::iterator) {
        Matcher matcher = NUMBER.matcher(line);
        while (matcher.find()) {
          String digits =
              matcher.group(1) == null
                  ? matcher.group(2).replaceAll("3([0-9])", "$1")
                  : matcher.group(1);
          last = Math.max(last, Integer.parseInt(digits));
        }
      }
    } catch (IOException | UncheckedIOException e) {
      end("cannot be read");
    }
    return last;
  }

  /**
   * Appends a line.
   *
   * @return whether it was written
   */
  boolean append(String line) {
    if (hasEnded) {
      return false;
    }
    byte[] bytes = ((isIncomplete && !isOld ? "\n" : "") + line + "\n").getBytes(UTF_8);
    try {
      if (isOld || size + bytes.length > MAX_BYTES) {
        if (files == 1) {
          end("has " + size + " bytes, which is the limit");
          return false;
        }
        rotate();
      }
      createOwnerOnly();
      Files.write(file, bytes, StandardOpenOption.APPEND);
      size += bytes.length;
      isIncomplete = false;
      return true;
    } catch (IOException e) {
      removeIncompleteLine(bytes.length);
      end("cannot be written (" + reason(e) + ")");
      return false;
    }
  }

  private void rotate() throws IOException {
    for (int number = files - 1; number > 0; number--) {
      Path from = previous(number - 1);
      if (Files.exists(from, LinkOption.NOFOLLOW_LINKS)) {
        Files.move(from, previous(number), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    size = 0;
    isOld = false;
  }

  /** The file that was current so many files ago. */
  private Path previous(int number) {
    return number == 0 ? file : directory.resolve(name.replace(".jsonl", "." + number + ".jsonl"));
  }

  /**
   * Removes an incomplete line, for example after the disk was full, because the next line would be
   * appended to it.
   */
  private void removeIncompleteLine(int line) {
    try (FileChannel content = FileChannel.open(file, StandardOpenOption.WRITE)) {
      if (content.size() < size + line) {
        content.truncate(size);
      }
    } catch (IOException e) {
      // The first failure is logged.
    }
  }

  /**
   * The message of a FileSystemException is a path; the message of other exceptions is the error of
   * the operating system.
   */
  private static String reason(IOException failure) {
    return failure instanceof FileSystemException || failure.getMessage() == null
        ? failure.getClass().getSimpleName()
        : failure.getMessage();
  }

  /**
   * Creates the file with mode 600, or sets this mode on an existing file, if the file system
   * supports POSIX permissions.
   */
  private void createOwnerOnly() throws IOException {
    if (Files.getFileAttributeView(directory, PosixFileAttributeView.class) == null) {
      if (!Files.exists(file)) {
        Files.createFile(file);
      }
      return;
    }
    if (!Files.exists(file)) {
      Files.createFile(file, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    } else if (!Files.getPosixFilePermissions(file).equals(OWNER_ONLY)) {
      Files.setPosixFilePermissions(file, OWNER_ONLY);
    }
  }

  private void end(String reason) {
    hasEnded = true;
    warnings.accept("No more " + content + " are recorded: " + file + " " + reason);
  }
}
