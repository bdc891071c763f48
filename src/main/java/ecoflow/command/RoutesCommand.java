package ecoflow.command;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "routes",
    description = "Manages the packaged route files.",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n")
final class RoutesCommand implements Runnable {

  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "routes requires a command: export");
  }
}
