package ecoflow.account;

import ecoflow.config.AccountSettings;
import ecoflow.config.Settings.Mode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.camel.Variable;

/** The accounts of the exporter in the order of their settings, bean {@code accounts}. */
public final class Accounts {

  private volatile List<Account> all;

  public Accounts(List<AccountSettings> settings) {
    this.all = settings.stream().map(Account::new).toList();
  }

  /**
   * The difference between two readings of the accounts file.
   *
   * @param before the earlier settings of each changed account
   */
  public record Changes(
      List<Account> added, List<Account> removed, Map<Account, AccountSettings> before) {}

  public List<Account> all() {
    return all;
  }

  /** Applies new settings. An account with another mode is a new account. */
  public synchronized Changes update(List<AccountSettings> settings) {
    Map<String, Account> byName = new HashMap<>();
    all.forEach(account -> byName.put(account.name(), account));
    List<Account> next = new ArrayList<>();
    List<Account> added = new ArrayList<>();
    Map<Account, AccountSettings> before = new LinkedHashMap<>();
    for (AccountSettings one : settings) {
      Account account = byName.get(one.name());
      if (account == null || account.mode() != one.settings().mode()) {
        account = new Account(one);
        added.add(account);
      } else {
        byName.remove(one.name());
        if (!account.configured().equals(one)) {
          before.put(account, account.configured());
          account.update(one);
        }
      }
      next.add(account);
    }
    all = List.copyOf(next);
    byName.values().forEach(Account::setRemoved);
    return new Changes(added, List.copyOf(byName.values()), before);
  }

  /** Whether the accounts have names, because they are from an accounts file. */
  public boolean areNamed() {
    return all.stream().noneMatch(account -> account.name().isEmpty());
  }

  public Optional<Account> find(String name) {
    return all.stream().filter(account -> account.name().equals(name)).findFirst();
  }

  /** Whether the account has not been removed. */
  public boolean isServed(Account account) {
    return !account.isRemoved();
  }

  /** Whether the first account is earlier in the order of the settings. */
  public boolean isBefore(Account first, Account second) {
    List<Account> order = all;
    return order.indexOf(first) < order.indexOf(second);
  }

  public boolean isAny(Predicate<Mode> condition) {
    return all.stream().map(Account::mode).anyMatch(condition);
  }

  /** For routes: whether the account is an app account; otherwise it has developer keys. */
  public boolean isAppAccount(@Variable(Account.VARIABLE) Account account) {
    return account.mode().usesAccount();
  }

  /** For routes: whether the account receives developer pushes. */
  public boolean isOpen(@Variable(Account.VARIABLE) Account account) {
    return account.mode() == Mode.OPEN;
  }

  /** For routes: whether the exporter requests all values of the account's devices. */
  public boolean needsRequests(@Variable(Account.VARIABLE) Account account) {
    return account.mode() == Mode.DEVICE;
  }
}
