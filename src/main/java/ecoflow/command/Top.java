package ecoflow.command;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The top-level command. Without arguments the process runs the exporter instead. */
@Command(
    name = Commands.NAME,
    description = {
      "Prometheus exporter for EcoFlow power stations.",
      "Without a command it serves /metrics until a signal stops it."
    },
    synopsisSubcommandLabel = "[COMMAND]",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Additional commands of the launcher of the distribution:",
      "  lib      Manages jars of Camel components and Micrometer registries.",
      "  train    Creates the start-up archive for the current Java runtime.",
      "  options  Prints the options of java, for java @FILE.",
      "",
      "All settings are environment variables: \"config\" prints their values,",
      "docs/CONFIGURATION.md describes them.",
      "",
      "Exit codes: 0 success, 1 failure, 2 invalid configuration or command line."
    })
final class Top implements Runnable {

  /** Options of every command. */
  static final class Help {
    @Option(
        names = {"-h", "--help"},
        usageHelp = true,
        description = "Prints this help.")
    private boolean isRequested;
  }

  @Spec private CommandSpec spec;
  @Mixin private Help help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Prints the versions of the exporter, Camel and Java.")
  private boolean isVersionRequested;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "missing command");
  }
}
