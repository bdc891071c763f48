package ecoflow.command;

import java.io.PrintWriter;

/** Prints the results of the checks: one line each with state, subject and explanation. */
final class Findings {

  private final PrintWriter out;
  private boolean failed;

  Findings(PrintWriter out) {
    this.out = out;
  }

  void ok(String subject, String text) {
    line("ok", subject, text);
  }

  /** A problem that does not make the command fail. */
  void warning(String subject, String text) {
    line("warning", subject, text);
  }

  void failed(String subject, String text) {
    failed = true;
    line("FAILED", subject, text);
  }

  boolean hasFailed() {
    return failed;
  }

  private void line(String state, String subject, String text) {
    out.printf("%-8s %-12s %s%n", state, subject, Commands.printed(text));
    // The next check can take a long time.
    out.flush();
  }
}
