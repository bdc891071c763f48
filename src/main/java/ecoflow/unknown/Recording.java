package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import ecoflow.decode.proto.Frame;
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
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A file with unknown messages that can be shared, one line of JSON per message. */
final class Recording {

  static final String FILE = "unknown.jsonl";

  /** Messages of one command and one class of lengths; more would not add information. */
  private static final int OF_A_KIND = 20;

  private static final long MAX_BYTES = 4L << 20;
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final Path file;
  private final Consumer<String> warn;
  private final Map<String, Set<Integer>> known = new HashMap<>();
  private long size;
  private boolean isOver;

  /**
   * The fields of a line other than the bytes.
   *
   * @param device the masked serial number
   * @param length of the message in bytes
   */
  record Entry(
      String time, String source, String device, String product, String command, int length) {}

  /**
   * @param warn receives a line when the recording ends
   */
  Recording(Path folder, Consumer<String> warn) {
    this.folder = folder;
    this.file = folder.resolve(FILE);
    this.warn = warn;
    try {
      size = Files.exists(file) ? Files.size(file) : 0;
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        // Opening a FIFO for writing blocks until a process reads from it.
        end("is not a regular file");
      }
    } catch (IOException e) {
      end("cannot be read");
    }
  }

  /**
   * Writes a message unless it was already recorded.
   *
   * @param header with the message in plain bytes
   * @param mask for the bytes
   */
  void take(Entry entry, Header header, Supplier<Mask> mask) {
    if (isOver || !isNew(entry, header)) {
      return;
    }
    byte[] masked = new FieldMask(mask.get()).header(header.toByteArray());
    byte[] frame = Frame.newBuilder().addHeaders(ByteString.copyFrom(masked)).build().toByteArray();
    Map<String, String> line = new LinkedHashMap<>();
    line.put("time", entry.time());
    line.put("source", entry.source());
    line.put("device", entry.device());
    line.put("product", entry.product());
    line.put("command", entry.command());
    line.put("frame", HexFormat.of().formatHex(frame));
    byte[] bytes = {};
    try {
      bytes = (JSON.writeValueAsString(line) + "\n").getBytes(UTF_8);
      if (size + bytes.length > MAX_BYTES) {
        end("has " + size + " bytes, the limit of a recording");
        return;
      }
      createForOwner();
      Files.write(file, bytes, StandardOpenOption.APPEND);
      size += bytes.length;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("texts cannot be written as JSON", e);
    } catch (IOException e) {
      removePart(bytes.length);
      end("cannot be written (" + reason(e) + ")");
    }
  }

  /**
   * Removes the incomplete line that a full disk leaves, because the next line would be appended to
   * it.
   */
  private void removePart(int line) {
    try (FileChannel content = FileChannel.open(file, StandardOpenOption.WRITE)) {
      if (content.size() < size + line) {
        content.truncate(size);
      }
    } catch (IOException e) {
      // The failure itself is logged anyway.
    }
  }

  /**
   * The message of a file system failure is a path, that of other failures is the reason of the
   * operating system.
   */
  private static String reason(IOException failure) {
    return failure instanceof FileSystemException || failure.getMessage() == null
        ? failure.getClass().getSimpleName()
        : failure.getMessage();
  }

  /**
   * Creates the file with mode 600, and sets this mode on an existing file. File systems without
   * POSIX permissions are not changed.
   */
  private void createForOwner() throws IOException {
    if (Files.getFileAttributeView(folder, PosixFileAttributeView.class) == null) {
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

  private boolean isNew(Entry entry, Header header) {
    // Lengths with the same number of binary digits belong to one class.
    int lengths = Integer.SIZE - Integer.numberOfLeadingZeros(entry.length());
    Set<Integer> ofKind =
        known.computeIfAbsent(
            entry.device() + " " + entry.command() + " " + lengths, unused -> new HashSet<>());
    return ofKind.size() < OF_A_KIND && ofKind.add(header.getPdata().hashCode());
  }

  private void end(String why) {
    isOver = true;
    warn.accept("No more unknown messages are recorded: " + file + " " + why);
  }
}
