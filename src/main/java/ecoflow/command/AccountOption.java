package ecoflow.command;

import ecoflow.config.AccountSettings;
import ecoflow.config.ConfigException;
import ecoflow.config.Configuration;
import ecoflow.config.KafkaSettings;
import ecoflow.config.Settings;
import ecoflow.config.Shard;
import ecoflow.text.Lines;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The option {@code --account} of commands. */
final class AccountOption {

  /** A task for one account; returns an exit code. */
  interface Task {
    int run(AccountSettings account) throws ConfigException, CallFailure;
  }

  @Option(
      names = "--account",
      paramLabel = "NAME",
      description = "Only this account of the accounts file.")
  private String account;

  /**
   * Runs a task for each account of the file, or for the selected one, with the name as heading.
   * Without a file, runs it for the account of the environment. A failed call ends the task of its
   * account only. If the shard has no account, prints that and succeeds.
   *
   * @return the highest exit code
   */
  int forEach(Map<String, String> variables, CommandSpec spec, Task task)
      throws ConfigException, CallFailure {
    return forEach(variables, spec, spec.commandLine().getOut(), task);
  }

  /** Like the other method, with another stream for the headings. */
  int forEach(Map<String, String> variables, CommandSpec spec, PrintWriter headings, Task task)
      throws ConfigException, CallFailure {
    Configuration configuration = Configuration.from(variables);
    if (configuration.process().isServer()) {
      throw new ConfigException(
          "this command requires an account, which a server of a fleet does not have: run it"
              + " without "
              + KafkaSettings.ROLE);
    }
    List<AccountSettings> selected =
        select(variables, configuration.accounts(), AccountSettings::name);
    if (selected.isEmpty()) {
      // The shard is valid: as an exporter, it waits for accounts.
      headings.println(
          "No account of the accounts file belongs to shard "
              + Shard.from(variables).map(Shard::label).orElse(""));
    }
    int highest = Commands.SUCCESS;
    for (int i = 0; i < selected.size(); i++) {
      AccountSettings current = selected.get(i);
      if (current.name().isEmpty()) {
        return task.run(current);
      }
      headings.println((i == 0 ? "" : System.lineSeparator()) + "Account " + current.name() + ":");
      headings.flush();
      try {
        highest = Math.max(highest, task.run(current));
      } catch (CallFailure e) {
        spec.commandLine()
            .getErr()
            .println(Commands.NAME + ": account " + current.name() + ": " + e.getMessage());
        highest = Math.max(highest, Commands.FAILED);
      }
    }
    return highest;
  }

  /**
   * The accounts of the file, or the selected one.
   *
   * @param all the accounts of this shard
   */
  <T> List<T> select(Map<String, String> variables, List<T> all, Function<T, String> nameOf)
      throws ConfigException {
    if (account == null) {
      return all;
    }
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
    List<String> names = all.stream().map(nameOf).filter(name -> !name.isEmpty()).toList();
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
}
