package ecoflow.testkit;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.config.AccountSettings;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;

/** The account of the environment variables, for tests of single beans. */
public record OneAccount(Settings settings, Accounts accounts) {

  public static OneAccount of(Settings settings) {
    AccountSettings account = new AccountSettings("", Map.of(), settings);
    return new OneAccount(settings, new Accounts(List.of(account)));
  }

  /**
   * @throws ConfigException if a variable is not valid
   */
  public static OneAccount of(Map<String, String> variables) throws ConfigException {
    return of(Settings.from(variables));
  }

  public Account account() {
    return accounts.all().get(0);
  }

  /** Creates an exchange with the variable {@code account}. */
  public Exchange exchange(Object body) {
    Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    exchange.setVariable(Account.VARIABLE, account());
    exchange.getMessage().setBody(body);
    return exchange;
  }

  /** Creates an exchange of a route that handles a failure. */
  public Exchange failure(Exception failure) {
    Exchange exchange = exchange(null);
    exchange.setProperty(Exchange.EXCEPTION_CAUGHT, failure);
    return exchange;
  }
}
