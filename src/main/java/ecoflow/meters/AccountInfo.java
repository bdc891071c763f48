package ecoflow.meters;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.function.Function;

/** The info metric of the accounts. */
final class AccountInfo {

  private AccountInfo() {}

  /**
   * Each account has the labels that the accounts file contains for it, so the series can have
   * different labels, and they change with the file.
   *
   * @param name without the suffix _info
   * @param host returns the API host of an account
   */
  static InfoSnapshot snapshot(
      String name, String help, Accounts accounts, Function<Account, String> host) {
    InfoSnapshot.Builder info = InfoSnapshot.builder().name(name).help(help);
    for (Account account : accounts.all()) {
      Labels.Builder labels =
          Labels.builder()
              .label("account", account.name())
              .label("mode", account.mode().label())
              .label("api_host", host.apply(account));
      account.labels().forEach(labels::label);
      info.dataPoint(InfoDataPointSnapshot.builder().labels(labels.build()).build());
    }
    return info.build();
  }
}
