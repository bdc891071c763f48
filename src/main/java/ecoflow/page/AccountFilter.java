package ecoflow.page;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.text.Lines;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The accounts that a request for the metrics page selects.
 *
 * @param isAll whether the page is not limited to accounts; then both lists are empty
 * @param accounts in the order of the settings
 * @param unknown names of the request that are not accounts, sorted
 */
record AccountFilter(boolean isAll, List<Account> accounts, List<String> unknown) {

  private static final AccountFilter NONE = new AccountFilter(true, List.of(), List.of());

  /**
   * Parses a query such as {@code account=a,b} or {@code account=a&account=b}. An empty name is
   * unknown, so that a client with an incomplete configuration does not receive all accounts.
   *
   * @param raw the encoded query without its question mark; null for none
   */
  static AccountFilter of(String raw, Accounts accounts) {
    List<String> values =
        new QueryStringDecoder(raw == null ? "" : raw, false).parameters().get("account");
    if (values == null) {
      return NONE;
    }
    Set<String> names = new TreeSet<>();
    values.forEach(value -> names.addAll(List.of(value.split(",", -1))));
    List<Account> found = accounts.find(names);
    found.forEach(account -> names.remove(account.name()));
    return new AccountFilter(false, found, List.copyOf(names));
  }

  Set<String> names() {
    return accounts.stream().map(Account::name).collect(Collectors.toSet());
  }

  /** A line about the unknown names. */
  String problem() {
    List<String> names = unknown.stream().map(name -> '"' + Lines.name(name) + '"').toList();
    return "unknown account: " + Lines.abbreviate(names) + "\n";
  }
}
