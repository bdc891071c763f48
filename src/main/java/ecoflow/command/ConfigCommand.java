package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.config.Configuration;
import ecoflow.config.Settings;
import ecoflow.config.Shard;
import ecoflow.config.Variable;
import ecoflow.text.Lines;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "config",
    description = "Prints each setting with its value and its source; secrets are masked.",
    optionListHeading = "%nOptions:%n")
final class ConfigCommand implements Callable<Integer> {

  private final Map<String, String> variables;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  @Option(
      names = "--account",
      paramLabel = "NAME",
      description = "Prints only this account of the accounts file.")
  private String account;

  ConfigCommand(Map<String, String> variables) {
    this.variables = variables;
  }

  @Override
  public Integer call() throws ConfigException {
    List<Configuration.Explanation> accounts = accounts();
    Table table = new Table("VARIABLE", "VALUE", "FROM");
    for (Variable variable : Settings.explain(variables)) {
      table.add(variable.name(), variable.value(), variable.source());
    }
    table.print(spec.commandLine().getOut());
    if (!accounts.isEmpty()) {
      spec.commandLine().getOut().println();
      table(accounts).print(spec.commandLine().getOut());
    }
    return Commands.SUCCESS;
  }

  /** The accounts of the file, or the selected one. */
  private List<Configuration.Explanation> accounts() throws ConfigException {
    List<Configuration.Explanation> all = Configuration.explain(variables);
    if (account == null) {
      return all;
    }
    List<String> names = all.stream().map(Configuration.Explanation::name).toList();
    Optional<Shard> shard = Shard.from(variables);
    if (shard.filter(own -> !own.serves(account)).isPresent()) {
      throw new ConfigException(
          "account '"
              + Commands.printed(account)
              + "' belongs to shard "
              + shard.get().of(account).label()
              + ", and this is shard "
              + shard.get().label());
    }
    if (!names.contains(account)) {
      throw new ConfigException(
          "unknown account '"
              + Commands.printed(account)
              + "'"
              + (names.isEmpty()
                  ? ": " + Settings.ACCOUNTS_FILE + " is not set"
                  : Lines.nearest(account, names, Math.max(1, account.length() / 3))
                      .map(name -> "; did you mean '" + name + "'?")
                      .orElse("")));
    }
    return List.of(all.get(names.indexOf(account)));
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
