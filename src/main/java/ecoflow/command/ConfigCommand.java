package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.config.Configuration;
import ecoflow.config.Settings;
import ecoflow.config.Variable;
import java.util.List;
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
  @Mixin private AccountOption option;

  ConfigCommand(Map<String, String> variables) {
    this.variables = variables;
  }

  @Override
  public Integer call() throws ConfigException {
    List<Configuration.Explanation> accounts =
        option.select(variables, Configuration.explain(variables), Configuration.Explanation::name);
    Table table = new Table("VARIABLE", "VALUE", "FROM");
    for (Variable variable : Settings.explain(variables)) {
      table.add(variable.name(), variable.value(), variable.source());
    }
    table.print(spec.commandLine().getOut());
    if (!accounts.isEmpty()) {
      spec.commandLine().getOut().println();
      table(accounts).print(spec.commandLine().getOut());
    }
    Configuration.unknownVariables(variables)
        .forEach(line -> spec.commandLine().getErr().println(Commands.NAME + ": " + line));
    return Commands.SUCCESS;
  }

  private static Table table(List<Configuration.Explanation> accounts) {
    Table table = new Table("ACCOUNT", "SETTING", "VALUE", "FROM");
    for (Configuration.Explanation shown : accounts) {
      for (Variable setting : shown.settings()) {
        table.add(shown.name(), setting.name(), setting.value(), setting.source());
      }
    }
    return table;
  }
}
