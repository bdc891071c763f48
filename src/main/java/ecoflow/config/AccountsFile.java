package ecoflow.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/**
 * The file ECOFLOW_ACCOUNTS_FILE and the secret files that it names.
 *
 * <p>After {@link #open}, only one thread may use an instance. It needs a thread of its own,
 * because access to an unresponsive network share can block forever.
 */
public final class AccountsFile {

  /** Long enough for the secret files of 30,000 accounts on a network share. */
  private static final TimeLimit START = new TimeLimit(Duration.ofSeconds(60));

  /** Limits the time of a check: with 30,000 accounts, all secret files would take 0.1 s. */
  private static final int CHECKED_SECRETS = 1_000;

  private final Path path;
  private final Map<String, String> variables;
  private final Settings process;
  private List<AccountSettings> accounts = List.of();
  private Map<Path, Fingerprint> files = Map.of();

  /** Whether a change was found in the last check. */
  private boolean isPending;

  /** The files that the current round of checks has not yet reached. */
  private Iterator<Map.Entry<Path, Fingerprint>> unchecked = files.entrySet().iterator();

  private AccountsFile(Path path, Map<String, String> variables, Settings process) {
    this.path = path;
    this.variables = variables;
    this.process = process;
  }

  /**
   * Reads the file that the variables name.
   *
   * @throws ConfigException with a single line for the user
   */
  static AccountsFile open(Map<String, String> variables) throws ConfigException {
    return open(variables, (account, values) -> {});
  }

  /**
   * Reads the file that the variables name.
   *
   * @param listener receives the values of each account of this shard and their sources
   * @throws ConfigException with a single line for the user
   */
  static AccountsFile open(Map<String, String> variables, AccountsReader.Listener listener)
      throws ConfigException {
    Environment env = new Environment(variables);
    Settings process = Settings.ofProcess(variables);
    try {
      return START.read(
          () -> {
            Path path =
                env.path(
                        Settings.ACCOUNTS_FILE,
                        Files::isRegularFile,
                        "a readable file with accounts")
                    .orElseThrow();
            AccountsFile file = new AccountsFile(path, variables, process);
            file.read(listener);
            return file;
          });
    } catch (TimeoutException e) {
      throw new ConfigException(
          Settings.ACCOUNTS_FILE
              + "="
              + env.given(Settings.ACCOUNTS_FILE).orElseThrow()
              + ", or a secret file, "
              + START);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ConfigException invalid) {
        throw invalid;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** The settings that all accounts share. The credentials are empty. */
  public Settings process() {
    return process;
  }

  /** The accounts of this shard in the last successful read, in the order of the file. */
  public List<AccountSettings> accounts() {
    return accounts;
  }

  /**
   * Whether a file changed, so that {@link #read} is needed. Returns true one call after the change
   * was found, and not before the accounts file is unchanged between two calls: half of a file
   * would remove accounts.
   */
  public boolean needsRead() {
    if (!isPending) {
      isPending = hasChanged();
      return false;
    }
    isPending = isDifferent(path, files.get(path));
    return !isPending;
  }

  /** Whether the last call of {@link #needsRead} found a change that is not complete yet. */
  public boolean isChanging() {
    return isPending;
  }

  /**
   * Checks the accounts file and up to {@value #CHECKED_SECRETS} secret files; further calls
   * continue with the next secret files.
   */
  private boolean hasChanged() {
    if (isDifferent(path, files.get(path))) {
      return true;
    }
    if (!unchecked.hasNext()) {
      unchecked = files.entrySet().iterator();
    }
    for (int checked = 0; checked < CHECKED_SECRETS && unchecked.hasNext(); checked++) {
      Map.Entry<Path, Fingerprint> next = unchecked.next();
      if (isDifferent(next.getKey(), next.getValue())) {
        return true;
      }
    }
    return false;
  }

  private boolean isDifferent(Path file, Fingerprint before) {
    Fingerprint now = Fingerprint.of(file);
    if (now.equals(before)) {
      return false;
    }
    files.replace(file, now);
    return true;
  }

  /**
   * Reads all files again. After an error, {@link #accounts} does not change, and {@link
   * #needsRead} checks the files up to the one with the error.
   *
   * @throws ConfigException with a single line for the user
   */
  public List<AccountSettings> read() throws ConfigException {
    return read((account, values) -> {});
  }

  private List<AccountSettings> read(AccountsReader.Listener listener) throws ConfigException {
    AccountsReader reader = new AccountsReader(path, variables, process, listener);
    try {
      accounts = reader.accounts();
      return accounts;
    } finally {
      files = reader.files();
      unchecked = files.entrySet().iterator();
    }
  }
}
