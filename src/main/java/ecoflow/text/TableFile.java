package ecoflow.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A table of the user's: lines with commas, where empty ones and those that start with # do not
 * count. What is wrong with one is told with its number and costs that line.
 */
public final class TableFile {

  private final Path file;
  private final String head;
  private final Consumer<String> problems;

  /**
   * @param head the start of a line that names the columns; there need be none
   * @param problems takes a line for each line that is left out
   */
  public TableFile(Path file, String head, Consumer<String> problems) {
    this.file = file;
    this.head = head;
    this.problems = problems;
  }

  /**
   * Reads all lines; a file that is not there has none.
   *
   * @param flaw says what is wrong with the cells of a line, or null
   * @param take gets the cells of the others
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

  /** Says of a line that it has not as many cells as are needed. */
  public static String countFlaw(String[] cells, String needed) {
    return cells.length + " columns where " + needed + " are needed";
  }
}
