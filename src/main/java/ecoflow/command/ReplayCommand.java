package ecoflow.command;

import ecoflow.config.ConfigException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "replay",
    description = "Prints the series that result from a recording of ECOFLOW_RECORD_DIR.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class ReplayCommand implements Callable<Integer> {

  private final Commands.Replay replay;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  @Parameters(paramLabel = "FILE", description = "The recording, such as unknown.jsonl.")
  private Path file;

  ReplayCommand(Commands.Replay replay) {
    this.replay = replay;
  }

  @Override
  public Integer call() throws ConfigException, CallFailure {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    List<String> problems = new ArrayList<>();
    try {
      replay.series(file, problems::add).forEach(out::println);
    } catch (IOException e) {
      throw new CallFailure("", file + " is not a readable text file");
    }
    problems.forEach(line -> err.println(Commands.NAME + ": " + line));
    return problems.isEmpty() ? Commands.SUCCESS : Commands.FAILED;
  }
}
