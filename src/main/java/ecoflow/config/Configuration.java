package ecoflow.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The settings of the process and of its accounts.
 *
 * @param process the settings that all accounts share; with an accounts file its credentials are
 *     empty
 * @param accounts the accounts of this shard in the order of the file, or the only account of the
 *     environment; empty for a server of a fleet
 * @param file the accounts file; empty if the environment contains the account
 */
public record Configuration(
    Settings process, List<AccountSettings> accounts, Optional<AccountsFile> file) {

  private static final Pattern VARIABLE = Pattern.compile("ECOFLOW_[A-Z_]+");

  /**
   * The settings of an account in the accounts file.
   *
   * @param name of the account
   * @param settings the settings in the file, with the names of their keys
   */
  public record Explanation(String name, List<Variable> settings) {}

  /**
   * @throws ConfigException if a setting is not valid
   */
  public static Configuration from(Map<String, String> variables) throws ConfigException {
    Environment env = new Environment(variables);
    if (Settings.isServer(env)) {
      return new Configuration(Settings.from(variables), List.of(), Optional.empty());
    }
    if (env.given(Settings.ACCOUNTS_FILE).isEmpty()) {
      return of(Settings.from(variables));
    }
    AccountsFile file = AccountsFile.open(variables);
    return new Configuration(file.process(), file.accounts(), Optional.of(file));
  }

  /**
   * The settings in the accounts file for this shard, in its order. Secrets are masked. Empty
   * without an accounts file.
   *
   * @throws ConfigException if a setting is not valid
   */
  public static List<Explanation> explain(Map<String, String> variables) throws ConfigException {
    List<Explanation> accounts = new ArrayList<>();
    Environment env = new Environment(variables);
    if (!Settings.isServer(env) && env.given(Settings.ACCOUNTS_FILE).isPresent()) {
      AccountsFile.open(
          variables,
          (account, lines) -> accounts.add(new Explanation(account.name(), lines.get())));
    }
    return accounts;
  }

  /**
   * Log lines about variables of the environment that nothing reads, usually because their names
   * are misspelt.
   */
  public static List<String> unknownVariables(Map<String, String> variables) {
    return new UnknownVariables(variables).lines();
  }

  /** The key of a variable in the accounts file; the variable itself if it has no key. */
  public static String key(String variable) {
    return AccountKeys.key(variable);
  }

  /** A text in which the keys of the accounts file replace the variables. */
  public static String withKeys(String text) {
    return VARIABLE.matcher(text).replaceAll(variable -> key(variable.group()));
  }

  /** The settings of a process whose only account is in the environment. */
  public static Configuration of(Settings settings) {
    return new Configuration(
        settings, List.of(new AccountSettings("", Map.of(), settings)), Optional.empty());
  }

  /** A copy with other settings of the process. */
  public Configuration withProcess(Settings other) {
    return file.isEmpty() && !other.isServer()
        ? of(other)
        : new Configuration(other, accounts, Optional.empty());
  }
}
