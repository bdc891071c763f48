package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.text.Lines;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
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
  private final Optional<BufferedWriter> out;

  private HistoryState(Map<Call, Map<String, Double>> answers, Optional<BufferedWriter> out) {
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
   * @throws ConfigException if the file has another content, or cannot be read or written
   */
  static HistoryState open(Path file) throws ConfigException {
    try {
      String text = Files.exists(file) ? Files.readString(file) : "";
      // The last line can be incomplete after an interruption.
      String complete = text.substring(0, text.lastIndexOf('\n') + 1);
      String valid = complete.isEmpty() ? HEADER + "\n" : complete;
      Map<Call, Map<String, Double>> answers = read(file, valid);
      if (!valid.equals(text)) {
        Files.writeString(file, valid);
      }
      return new HistoryState(
          answers, Optional.of(Files.newBufferedWriter(file, StandardOpenOption.APPEND)));
    } catch (IOException e) {
      throw new ConfigException(
          "--output: cannot write " + file + ": " + Lines.oneLine(e.getMessage()));
    }
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
    if (out.isPresent()) {
      out.get().write(String.join(",", serial, code, day.toString(), values) + "\n");
      out.get().flush();
    }
    answers.put(new Call(serial, code, day), joules);
  }

  @Override
  public void close() throws IOException {
    if (out.isPresent()) {
      out.get().close();
    }
  }
}
