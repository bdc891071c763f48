package ecoflow;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.Schedules;
import ecoflow.api.Api;
import ecoflow.config.AccountSettings;
import ecoflow.config.Configuration;
import ecoflow.config.HttpSettings;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.mqtt.Mqtt;
import ecoflow.testkit.Variables;
import io.vertx.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccountsReloadTest {

  @TempDir private Path directory;

  private static String account(String name, String user, String device) {
    return "- {name: %s, mode: mqtt, user: %s, password: p, devices: [%s]}\n"
        .formatted(name, user, device);
  }

  private Path write(String... accounts) throws Exception {
    return Files.writeString(
        directory.resolve("accounts.yml"), "accounts:\n" + String.join("", accounts));
  }

  @Test
  void theFailureOfOneAccountDoesNotAffectOthers() throws Exception {
    Path file =
        write(
            account("bad", "a@example.org", "R331A"),
            account("removed", "a@example.org", "R331B"),
            account("good", "a@example.org", "R331C"));
    Configuration configuration = Configuration.from(Variables.ofFile(file));
    Settings settings = configuration.process();
    List<AccountSettings> before = configuration.accounts();
    Accounts accounts = new Accounts(before);
    Meters meters = new Meters(settings, accounts, "1");
    Devices devices = new Devices(settings, accounts, line -> {}, System::nanoTime);
    Vertx vertx = Vertx.vertx();
    try (Api api =
            new Api(
                settings.http(),
                accounts,
                HttpSettings.tls(settings.http().trust()),
                meters,
                System::nanoTime,
                () -> {});
        Mqtt mqtt =
            new Mqtt(
                settings,
                accounts,
                vertx,
                settings.http().trust(),
                devices,
                api,
                meters,
                payload -> "",
                System::nanoTime,
                account -> {},
                account -> {});
        AccountsReload reload =
            new AccountsReload(
                configuration.file().orElseThrow(),
                accounts,
                new Schedules(accounts, System::nanoTime),
                api,
                mqtt,
                AccountsReloadTest::fail,
                account -> {},
                devices,
                meters)) {
      reload.start();
      write(
          account("bad", "b@example.org", "R331A"),
          account("good", "a@example.org", "R331D"),
          account("added", "a@example.org", "R331E"));
      eventually(() -> assertEquals(List.of("R331A", "R331D", "R331E"), devices.serials()));
      // The change of "bad" and the removal of "removed".
      assertEquals(2, meters.registry().get("ecoflow_account_change_errors").counter().count());
    } finally {
      vertx.close();
    }
  }

  private static void fail(Account account) {
    throw new IllegalStateException("for " + account.name());
  }
}
