package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.UTF_8;

import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A file with masked unknown messages, which users can share: one line of JSON per message. */
final class Recording {

  static final String FILE = "unknown.jsonl";

  private static final long MAX_BYTES = 4L << 20;
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private final Path directory;
  private final Path file;
  private final Consumer<String> warnings;
  private final UnknownSamples samples = new UnknownSamples();
  private long size;
  private boolean hasEnded;

  /**
   * The fields of a line, without the frame.
   *
   * @param device the masked serial number
   * @param length the length of the message in bytes
   */
  record Entry(
      String time, String source, String device, String product, String command, int length) {}

  /**
   * @param warnings receives a line if the recording ends
   */
  Recording(Path directory, Consumer<String> warnings) {
    this.directory = directory;
    this.file = directory.resolve(FILE);
    this.warnings = warnings;
    try {
      size = Files.exists(file) ? Files.size(file) : 0;
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        // Opening a pipe for writing blocks until a process reads from it.
        end("is not a regular file");
      }
    } catch (IOException e) {
      end("cannot be read");
    }
  }

  /**
   * Writes a message unless it has been recorded already.
   *
   * @param header the header with the unencrypted message
   * @param mask returns the mask for the message
   */
  void record(Entry entry, Header header, Supplier<Mask> mask) {
    if (hasEnded || !samples.isNew(entry, header)) {
      return;
    }
    byte[] bytes = (UnknownSamples.line(entry, header, mask.get()) + "\n").getBytes(UTF_8);
    try {
      if (size + bytes.length > MAX_BYTES) {
        end("has " + size + " bytes, which is the limit");
        return;
      }
      createOwnerOnly();
      Files.write(file, bytes, StandardOpenOption.APPEND);
      size += bytes.length;
    } catch (IOException e) {
      removeIncompleteLine(bytes.length);
      end("cannot be written (" + reason(e) + ")");
    }
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
    warnings.accept("No more unknown messages are recorded: " + file + " " + reason);
  }
}
