package ecoflow.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.config.AccountSettings;
import ecoflow.config.HttpSettings;
import ecoflow.config.Settings;
import ecoflow.meters.Meters;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

class OverloadTest {

  /** Makes a call with an app account, to which EcoFlow responds with this HTTP status. */
  private static void call(CloudCall calls, Account account, int status) throws Exception {
    try (DefaultCamelContext camel = new DefaultCamelContext()) {
      Exchange exchange = new DefaultExchange(camel);
      exchange.setVariable(Account.VARIABLE, account);
      exchange.setProperty("apiName", "login");
      exchange.setProperty("apiPath", "/auth/login");
      calls.begin(exchange);
      exchange.setProperty(
          Exchange.EXCEPTION_CAUGHT,
          new HttpOperationFailedException("", status, "", null, Map.of(), ""));
      calls.record(exchange);
    }
  }

  @Test
  void anOverloadedLoginHalvesTheRateOfLogins() throws Exception {
    Settings settings =
        Settings.from(
            Map.of(
                "ECOFLOW_ACCOUNT_USER", "user",
                "ECOFLOW_ACCOUNT_PASSWORD", "password",
                "ECOFLOW_API_TYPE", "mqtt",
                "ECOFLOW_DEVICE_SN", "all",
                "ECOFLOW_LOGIN_RATE", "0.5",
                "ECOFLOW_LOGIN_BURST", "1"));
    Accounts accounts =
        new Accounts(
            Stream.of("a", "b", "c", "d")
                .map(name -> new AccountSettings(name, Map.of(), settings))
                .toList());
    List<Account> all = accounts.all();
    try (Api api =
            new Api(
                settings.http(),
                accounts,
                HttpSettings.tls(settings.http().trust()),
                new Meters(settings, accounts, "1"),
                () -> 0,
                () -> {});
        DefaultCamelContext camel = new DefaultCamelContext()) {
      api.setNeedsLogin(unused -> true);
      api.bind(camel.getRegistry(), 10, unused -> {});
      CloudCall calls = camel.getRegistry().lookupByNameAndType("cloudCall", CloudCall.class);
      assertEquals(Duration.ZERO, api.loginPause(all.get(0)));
      call(calls, all.get(0), 401);
      assertEquals(Duration.ofSeconds(2), api.loginPause(all.get(1)));
      call(calls, all.get(0), 429);
      assertEquals(Duration.ofSeconds(4), api.loginPause(all.get(2)));
      assertEquals(Duration.ofSeconds(8), api.loginPause(all.get(3)));
    }
  }
}
