package ecoflow.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import ecoflow.config.ConfigException;
import ecoflow.text.Lines;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The answers so far of the command history. With a file, each answer is one line, so that the next
 * run continues after an interruption: {@code serial,code,day,what=joules what=joules}.
 */
final class HistoryState implements AutoCloseable {

  private static final String HEADER = "# Answers of EcoFlow: serial,code,day,joules";

  private record Call(String serial, String code, LocalDate day) {}

  private final Map<Call, Map<String, Double>> answers;
  private final Optional<FileChannel> out;

  private HistoryState(Map<Call, Map<String, Double>> answers, Optional<FileChannel> out) {
    this.answers = answers;
    this.out = out;
  }

  /** Keeps the answers in memory only. */
  static HistoryState inMemory() {
    return new HistoryState(new HashMap<>(), Optional.empty());
  }

  /**
   * Reads the answers in the file, which need not exist, and appends others to it.
   *
   * @throws ConfigException if the file has another content, is in use by another process, or
   *     cannot be read or written
   */
  static HistoryState open(Path file) throws ConfigException {
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
      if (!isLocked(channel)) {
        throw new ConfigException("--output: another process uses " + file);
      }
      HistoryState state = new HistoryState(answers(file, channel), Optional.of(channel));
      if (channel.position() == 0) {
        state.append(HEADER + "\n");
      }
      return state;
    } catch (IOException e) {
      close(channel);
      throw new ConfigException(
          "--output: cannot write " + file + ": " + Lines.oneLine(e.getMessage()));
    } catch (ConfigException e) {
      close(channel);
      throw e;
    }
  }

  /** Whether this process can use the file: also on file systems that do not have locks. */
  private static boolean isLocked(FileChannel channel) {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  private static void close(FileChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // Another failure is reported.
      }
    }
  }

  /** Reads the complete lines, and removes the last one if a process ended while it wrote it. */
  private static Map<Call, Map<String, Double>> answers(Path file, FileChannel channel)
      throws IOException, ConfigException {
    byte[] bytes = Channels.newInputStream(channel).readAllBytes();
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    Map<Call, Map<String, Double>> answers =
        end == 0 ? new HashMap<>() : read(file, new String(bytes, 0, end, UTF_8));
    channel.truncate(end);
    channel.position(end);
    return answers;
  }

  private static Map<Call, Map<String, Double>> read(Path file, String text)
      throws ConfigException {
    Map<Call, Map<String, Double>> answers = new HashMap<>();
    String[] lines = text.split("\n");
    for (int i = 0; i < lines.length; i++) {
      if (i == 0 ? !lines[i].equals(HEADER) : !read(lines[i], answers)) {
        throw new ConfigException(
            file + ":" + (i + 1) + " is not valid: expected the state of the command history");
      }
    }
    return answers;
  }

  /** Returns whether the line is valid. */
  private static boolean read(String line, Map<Call, Map<String, Double>> answers) {
    String[] cells = line.split(",", -1);
    if (cells.length != 4) {
      return false;
    }
    Map<String, Double> joules = new TreeMap<>();
    try {
      for (String value : cells[3].isEmpty() ? new String[0] : cells[3].split(" ")) {
        int equals = value.indexOf('=');
        joules.put(value.substring(0, equals), Double.valueOf(value.substring(equals + 1)));
      }
      answers.put(new Call(cells[0], cells[1], LocalDate.parse(cells[2])), joules);
      return true;
    } catch (DateTimeException | IllegalArgumentException | StringIndexOutOfBoundsException e) {
      return false;
    }
  }

  /** The energies by kind; empty before the answer. */
  Optional<Map<String, Double>> get(String serial, String code, LocalDate day) {
    return Optional.ofNullable(answers.get(new Call(serial, code, day)));
  }

  void put(String serial, String code, LocalDate day, Map<String, Double> joules)
      throws IOException {
    StringBuilder values = new StringBuilder();
    new TreeMap<>(joules)
        .forEach(
            (what, value) ->
                values.append(values.isEmpty() ? "" : " ").append(what).append('=').append(value));
    append(String.join(",", serial, code, day.toString(), values) + "\n");
    answers.put(new Call(serial, code, day), joules);
  }

  private void append(String line) throws IOException {
    if (out.isPresent()) {
      long end = out.get().position();
      try {
        ByteBuffer bytes = UTF_8.encode(line);
        while (bytes.hasRemaining()) {
          out.get().write(bytes);
        }
      } catch (IOException e) {
        // No other line may follow a part of this one.
        out.get().truncate(end);
        throw e;
      }
    }
  }

  @Override
  public void close() throws IOException {
    if (out.isPresent()) {
      out.get().close();
    }
  }
}
