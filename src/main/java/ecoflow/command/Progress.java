package ecoflow.command;

import java.io.PrintWriter;

/** A progress bar on the last line of a terminal; nothing if the output is not a terminal. */
final class Progress {

  private static final int WIDTH = 30;

  private final PrintWriter err;
  private final boolean isTerminal;
  private int shown;

  Progress(PrintWriter err, boolean isTerminal) {
    this.err = err;
    this.isTerminal = isTerminal;
  }

  void show(int done, int total, String text) {
    if (!isTerminal) {
      return;
    }
    int filled = total == 0 ? WIDTH : (int) ((long) WIDTH * done / total);
    String line =
        "["
            + "#".repeat(filled)
            + "-".repeat(WIDTH - filled)
            + "] "
            + done
            + "/"
            + total
            + " "
            + text;
    err.print("\r" + line + " ".repeat(Math.max(0, shown - line.length())));
    err.flush();
    shown = line.length();
  }

  /** Removes the bar, so that other lines can follow. */
  void clear() {
    if (shown > 0) {
      err.print("\r" + " ".repeat(shown) + "\r");
      err.flush();
      shown = 0;
    }
  }
}
