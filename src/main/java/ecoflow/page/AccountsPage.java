package ecoflow.page;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.camel.Header;

/** The accounts of an accounts file, without credentials and user names, bean accountsPage. */
final class AccountsPage {

  private final Accounts accounts;
  private final Devices devices;
  private final Function<Account, String> state;

  /**
   * @param state returns the state of an account
   */
  AccountsPage(Accounts accounts, Devices devices, Function<Account, String> state) {
    this.accounts = accounts;
    this.devices = devices;
    this.state = state;
  }

  /** For routes: the accounts in the order of the file. */
  public List<Map<String, Object>> list() {
    return accounts.all().stream().map(this::describe).toList();
  }

  private Map<String, Object> describe(Account account) {
    List<DeviceView> all = devices.all(account);
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", account.name());
    fields.put("mode", account.mode().label());
    fields.put("state", state.apply(account));
    fields.put("devices", all.size());
    fields.put("devices_online", all.stream().filter(DeviceView::online).count());
    fields.put("labels", new TreeMap<>(account.labels()));
    return fields;
  }

  /**
   * For routes: one target group per account, in the format of Prometheus for http_sd_configs. The
   * label {@code __param_account} becomes the query of the scrape.
   *
   * @param host the address of the exporter that the client uses
   */
  public List<Map<String, Object>> targets(@Header("Host") String host) {
    return accounts.all().stream().map(account -> target(host, account)).toList();
  }

  private static Map<String, Object> target(String host, Account account) {
    Map<String, String> labels = new TreeMap<>(account.labels());
    labels.put("__param_account", account.name());
    return Map.of("targets", List.of(host), "labels", labels);
  }
}
