package ecoflow.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A user's table with comma-separated lines. Empty lines and lines that start with # are ignored. A
 * line with an error is reported with its number and skipped.
 */
public final class TableFile {

  private final Path file;
  private final String header;
  private final Consumer<String> problems;

  /**
   * Creates a reader.
   *
   * @param header the start of the optional header line
   * @param problems receives a message for each line that is skipped
   */
  public TableFile(Path file, String header, Consumer<String> problems) {
    this.file = file;
    this.header = header;
    this.problems = problems;
  }

  /**
   * Reads all lines. A missing file has no lines.
   *
   * @param error returns the error in the cells of a line, or null
   * @param rows receives the cells of valid lines
   */
  public void read(Function<String[], String> error, Consumer<String[]> rows) {
    if (!Files.exists(file)) {
      return;
    }
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      problems.accept(file + " is skipped: it cannot be read as text in UTF-8");
      return;
    }
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (!line.isEmpty() && !line.startsWith("#") && !line.startsWith(header)) {
        String[] cells = line.split(",", -1);
        String message = error.apply(cells);
        if (message == null) {
          rows.accept(cells);
        } else {
          problems.accept(file + ":" + (i + 1) + " is skipped: " + message);
        }
      }
    }
  }

  /** The error message for a wrong number of cells. */
  public static String countError(String[] cells, String expected) {
    return cells.length + " columns, expected " + expected;
  }
}
