package ecoflow.command;

import java.io.PrintWriter;

/** What a check finds, a line each: whether it is well, what it is about, and what to do. */
final class Findings {

  private final PrintWriter out;
  private boolean failed;

  Findings(PrintWriter out) {
    this.out = out;
  }

  void ok(String about, String words) {
    line("ok", about, words);
  }

  /** It works, but perhaps not as it should. */
  void warning(String about, String words) {
    line("warning", about, words);
  }

  void failed(String about, String words) {
    failed = true;
    line("FAILED", about, words);
  }

  boolean hasFailed() {
    return failed;
  }

  private void line(String mark, String about, String words) {
    out.printf("%-8s %-12s %s%n", mark, about, Commands.oneLine(words));
    // Some looks take long.
    out.flush();
  }
}
