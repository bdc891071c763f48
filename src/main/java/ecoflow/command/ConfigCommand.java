package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.config.Variable;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "config",
    description = "Prints each setting with its value and its source; secrets are masked.",
    optionListHeading = "%nOptions:%n")
final class ConfigCommand implements Callable<Integer> {

  private final Map<String, String> variables;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  ConfigCommand(Map<String, String> variables) {
    this.variables = variables;
  }

  @Override
  public Integer call() throws ConfigException {
    Table table = new Table("VARIABLE", "VALUE", "FROM");
    for (Variable variable : Settings.explain(variables)) {
      table.add(variable.name(), variable.value(), variable.source());
    }
    table.print(spec.commandLine().getOut());
    return Commands.SUCCESS;
  }
}
