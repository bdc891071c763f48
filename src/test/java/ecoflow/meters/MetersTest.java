package ecoflow.meters;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.config.AccountSettings;
import ecoflow.config.Configuration;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetersTest {

  @TempDir private Path directory;

  @Test
  void callThatEndsAfterItsAccountWasRemovedIsNotCounted() throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("accounts.yml"),
            "accounts:\n"
                + "- {name: a, access_key: k, secret_key: s}\n"
                + "- {name: b, access_key: l, secret_key: s}\n");
    Configuration configuration =
        Configuration.from(Map.of("ECOFLOW_ACCOUNTS_FILE", file.toString()));
    List<AccountSettings> both = configuration.accounts();
    Accounts accounts = new Accounts(both);
    Meters meters = new Meters(configuration.process(), accounts, "1");
    Account removed = accounts.find("a").orElseThrow();
    count(meters, removed);
    assertTrue(meters.registry().scrape().contains("account=\"a\""), meters.registry()::scrape);

    accounts.update(both.subList(1, 2));
    meters.remove(List.of(removed));
    count(meters, removed);
    count(meters, accounts.find("b").orElseThrow());
    String text = meters.registry().scrape();
    assertFalse(text.contains("account=\"a\""), text);
    assertTrue(text.contains("account=\"b\""), text);

    meters.registry().counter("my_counter", "account", "a").increment();
    accounts.update(both);
    count(meters, accounts.find("a").orElseThrow());
    text = meters.registry().scrape();
    assertTrue(text.contains("my_counter_total{account=\"a\"} 1.0"), text);
    assertTrue(text.contains("ecoflow_http_requests_total{account=\"a\""), text);
  }

  private static void count(Meters meters, Account account) {
    meters.httpRequest(account, "/iot-open/sign/device/list", "success", Duration.ofMillis(1));
  }
}
