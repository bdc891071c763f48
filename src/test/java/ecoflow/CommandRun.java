package ecoflow;

import ecoflow.command.Commands;
import ecoflow.offline.HistoryReplay;
import ecoflow.offline.Replay;
import java.io.PrintWriter;
import java.io.Writer;
import java.time.Clock;
import java.util.List;
import java.util.Map;

/** Runs commands of the command line in the JVM of the test. */
public final class CommandRun {

  private CommandRun() {}

  /** Runs a command, except {@code validate}, and returns its exit code. */
  public static int run(
      Map<String, String> variables, Clock clock, Writer out, Writer err, String... arguments) {
    return new Commands(
            variables,
            new CommandLine.ThisExporter(variables),
            directory -> new Commands.RouteReport(List.of(), List.of(), List.of()),
            (file, problem) -> Replay.series(variables, Beans::new, file, problem),
            (age, problem) -> HistoryReplay.series(variables, Beans::new, age, problem),
            clock,
            new PrintWriter(out, true),
            new PrintWriter(err, true))
        .run(arguments);
  }
}
