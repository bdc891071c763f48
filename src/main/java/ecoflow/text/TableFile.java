package ecoflow.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A table that the user writes: comma-separated lines; empty lines and lines that start with # are
 * ignored. An error is reported with its line number, and only that line is skipped.
 */
public final class TableFile {

  private final Path file;
  private final String head;
  private final Consumer<String> problems;

  /**
   * Creates a reader.
   *
   * @param head the start of the optional header line
   * @param problems receives a text per line that is left out
   */
  public TableFile(Path file, String head, Consumer<String> problems) {
    this.file = file;
    this.head = head;
    this.problems = problems;
  }

  /**
   * Reads all lines; a missing file has none.
   *
   * @param flaw returns the error in the cells of a line, or null
   * @param take receives the cells of valid lines
   */
  public void read(Function<String[], String> flaw, Consumer<String[]> take) {
    if (!Files.exists(file)) {
      return;
    }
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      problems.accept(file + " is left out: it cannot be read as text in UTF-8");
      return;
    }
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (!line.isEmpty() && !line.startsWith("#") && !line.startsWith(head)) {
        String[] cells = line.split(",", -1);
        String wrong = flaw.apply(cells);
        if (wrong == null) {
          take.accept(cells);
        } else {
          problems.accept(file + ":" + (i + 1) + " is left out: " + wrong);
        }
      }
    }
  }

  /** The error text for a wrong number of cells. */
  public static String countFlaw(String[] cells, String needed) {
    return cells.length + " columns where " + needed + " are needed";
  }
}
