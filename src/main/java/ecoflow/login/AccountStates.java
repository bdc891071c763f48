package ecoflow.login;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.api.Api;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** The states of all accounts, for pages and metrics. */
public final class AccountStates {

  /** The state of an account, in the order of the metrics. */
  public enum State {
    CONNECTED,
    CONNECTING,
    /** EcoFlow refused the credentials. */
    REFUSED,
    /** EcoFlow requested a pause of all calls. */
    PAUSED;

    /** The value of the label state. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Accounts accounts;
  private final Api api;
  private final Predicate<Account> connected;

  /**
   * @param connected whether the MQTT connection of an account is open
   */
  public AccountStates(Accounts accounts, Api api, Predicate<Account> connected) {
    this.accounts = accounts;
    this.api = api;
    this.connected = connected;
  }

  public State of(Account account) {
    if (api.isPaused(account)) {
      return State.PAUSED;
    }
    if (api.isRefused(account)) {
      return State.REFUSED;
    }
    boolean isConnected =
        api.isContactMade(account) && (!account.mode().usesMqtt() || connected.test(account));
    return isConnected ? State.CONNECTED : State.CONNECTING;
  }

  /** The number of accounts in each state, by label. */
  public Map<String, Integer> counts() {
    Map<String, Integer> counts = new LinkedHashMap<>();
    for (State state : State.values()) {
      counts.put(state.label(), 0);
    }
    accounts.all().forEach(account -> counts.merge(of(account).label(), 1, Integer::sum));
    return counts;
  }

  /** The accounts that are not connected, in the order of the settings. */
  public List<Account> notConnected() {
    return accounts.all().stream().filter(account -> of(account) != State.CONNECTED).toList();
  }
}
