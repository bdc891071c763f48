package ecoflow.account;

import ecoflow.config.AccountSettings;
import ecoflow.config.Settings;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.camel.Exchange;

/**
 * An account at EcoFlow: the variable {@code account} of exchanges. Its settings can change, its
 * name and mode cannot. Beans store their state of an account with {@link PerAccount}.
 */
public final class Account {

  /** The name of the variable of exchanges. */
  public static final String VARIABLE = "account";

  private final String name;
  private final Settings.Mode mode;
  private final Map<PerAccount<?>, Object> states = new ConcurrentHashMap<>();
  private volatile AccountSettings current;
  private volatile boolean removed;

  Account(AccountSettings settings) {
    this.name = settings.name();
    this.mode = settings.settings().mode();
    this.current = settings;
  }

  /** The name in the accounts file; empty for the account of the environment variables. */
  public String name() {
    return name;
  }

  /** The start of log lines about the account: its name if it has one. */
  public String prefix() {
    return name.isEmpty() ? "" : "Account " + name + ": ";
  }

  public Settings.Mode mode() {
    return mode;
  }

  /** The labels in the accounts file. */
  public Map<String, String> labels() {
    return current.labels();
  }

  public Settings settings() {
    return current.settings();
  }

  /**
   * The account of the exchange.
   *
   * @throws IllegalStateException if the route that created the exchange did not set it
   */
  public static Account of(Exchange exchange) {
    Account account = exchange.getVariable(VARIABLE, Account.class);
    if (account == null) {
      throw new IllegalStateException("the exchange has no variable " + VARIABLE);
    }
    return account;
  }

  boolean isRemoved() {
    return removed;
  }

  void setRemoved() {
    removed = true;
  }

  AccountSettings configured() {
    return current;
  }

  void update(AccountSettings settings) {
    current = settings;
  }

  @SuppressWarnings("unchecked") // Only the key itself adds its value.
  <T> T state(PerAccount<T> key, Function<Account, T> create) {
    Object state = states.get(key);
    if (state == null) {
      // Not computeIfAbsent, because the creation can use states of other beans.
      Object created = create.apply(this);
      Object earlier = states.putIfAbsent(key, created);
      state = earlier == null ? created : earlier;
    }
    return (T) state;
  }

  <T> void resetState(PerAccount<T> key) {
    states.remove(key);
  }

  @Override
  public String toString() {
    return name;
  }
}
