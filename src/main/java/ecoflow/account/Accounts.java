package ecoflow.account;

import ecoflow.config.AccountSettings;
import ecoflow.config.Settings.Mode;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.camel.Variable;

/** The accounts of the exporter in the order of their settings, bean {@code accounts}. */
public final class Accounts {

  private volatile List<Account> all;

  public Accounts(List<AccountSettings> settings) {
    this.all = settings.stream().map(Account::new).toList();
  }

  public List<Account> all() {
    return all;
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
    return all.contains(account);
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
