package ecoflow.account;

import ecoflow.config.AccountSettings;
import ecoflow.config.Settings.Mode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.camel.Variable;

/** The accounts of the exporter in the order of their settings, bean {@code accounts}. */
public final class Accounts {

  private record Index(
      List<Account> all, Map<String, Account> byName, Map<Account, Integer> positions) {

    static Index of(List<Account> all) {
      Map<String, Account> byName = new HashMap<>();
      Map<Account, Integer> positions = new HashMap<>();
      for (Account account : all) {
        byName.put(account.name(), account);
        positions.put(account, positions.size());
      }
      return new Index(List.copyOf(all), byName, positions);
    }
  }

  private final boolean areNamed;
  private volatile Index index;

  /**
   * @param settings the accounts at the start; none for a server of a fleet, which adds them later
   */
  public Accounts(List<AccountSettings> settings) {
    this.index = Index.of(settings.stream().map(Account::new).toList());
    this.areNamed = !index.byName().containsKey("");
  }

  /**
   * The difference between two readings of the accounts file.
   *
   * @param before the earlier settings of each changed account
   */
  public record Changes(
      List<Account> added, List<Account> removed, Map<Account, AccountSettings> before) {}

  public List<Account> all() {
    return index.all();
  }

  /** Applies new settings. An account with another mode is a new account. */
  public synchronized Changes update(List<AccountSettings> settings) {
    Map<String, Account> byName = new HashMap<>(index.byName());
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
    index = Index.of(next);
    byName.values().forEach(Account::setRemoved);
    return new Changes(added, List.copyOf(byName.values()), before);
  }

  /** Adds accounts to those of a server, and returns them. */
  public synchronized List<Account> add(List<AccountSettings> settings) {
    List<Account> added = settings.stream().map(Account::new).toList();
    List<Account> all = new ArrayList<>(index.all());
    all.addAll(added);
    index = Index.of(all);
    return added;
  }

  /** Applies changed settings of an account of a server. */
  public void apply(Account account, AccountSettings settings) {
    account.update(settings);
  }

  /** Removes accounts of a server. */
  public synchronized void remove(Set<Account> accounts) {
    List<Account> left = new ArrayList<>(index.all());
    left.removeAll(accounts);
    index = Index.of(left);
    accounts.forEach(Account::setRemoved);
  }

  /** Whether the accounts have names, because they are from an accounts file. */
  public boolean areNamed() {
    return areNamed;
  }

  public Optional<Account> find(String name) {
    return Optional.ofNullable(index.byName().get(name));
  }

  /** Whether the account has not been removed. */
  public boolean isServed(Account account) {
    return !account.isRemoved();
  }

  /**
   * Whether the first account is earlier in the order of the settings. A removed account precedes
   * all others until its devices are removed.
   */
  public boolean isBefore(Account first, Account second) {
    return position(first) < position(second);
  }

  private int position(Account account) {
    return index.positions().getOrDefault(account, -1);
  }

  /** The accounts with these names, in the order of the settings. */
  public List<Account> find(Collection<String> names) {
    return names.stream()
        .map(this::find)
        .flatMap(Optional::stream)
        .sorted(Comparator.comparing(this::position))
        .toList();
  }

  public boolean isAny(Predicate<Mode> condition) {
    return all().stream().map(Account::mode).anyMatch(condition);
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
