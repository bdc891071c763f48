package ecoflow.command;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The jar itself. Without a command it does not come here: the exporter runs. */
@Command(
    name = Commands.NAME,
    description = {
      "Prometheus metrics of EcoFlow power stations.",
      "Without a command it runs and serves /metrics until a signal ends it."
    },
    synopsisSubcommandLabel = "[COMMAND]",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "The launcher of the distribution also knows:",
      "  train    Makes the start-up archive for the Java runtime at hand.",
      "",
      "All settings are environment variables: \"config\" prints their values,",
      "docs/CONFIGURATION.md describes them.",
      "",
      "Exit codes: 0 fine, 1 something failed, 2 bad configuration or command line."
    })
final class Top implements Runnable {

  /** What each command has. */
  static final class Help {
    @Option(
        names = {"-h", "--help"},
        usageHelp = true,
        description = "Shows this help.")
    private boolean asked;
  }

  @Spec private CommandSpec spec;
  @Mixin private Help help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Shows the versions of the exporter, of Camel and of Java.")
  private boolean versionAsked;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
