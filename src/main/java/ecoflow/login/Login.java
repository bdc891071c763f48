package ecoflow.login;

import ecoflow.account.Account;
import ecoflow.mqtt.BrokerLogin;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/** The credentials for the connections of accounts, bean {@code login}. */
interface Login {

  /** Whether the credentials for the next connection are available. */
  boolean isComplete(@Variable(Account.VARIABLE) Account account);

  /** For routes: address and credentials of the broker. */
  BrokerLogin brokerLogin(@Variable(Account.VARIABLE) Account account);

  /** Route step: handles a failed call or connection; discards refused credentials. */
  void failed(Exchange exchange);

  /** For routes: whether the broker refused new credentials, so that a long pause is necessary. */
  boolean isRefused(@Variable(Account.VARIABLE) Account account);

  /** For routes: the failed call and the reason, for the log. */
  String failure(Exchange exchange);

  /** Discards the credentials, so that the next connection requests new ones. */
  void forget(Account account);

  /** Discards the device list, so that the next connection requests a new one. */
  void forgetDevices(Account account);
}
