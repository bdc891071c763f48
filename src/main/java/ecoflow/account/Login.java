package ecoflow.account;

import ecoflow.mqtt.BrokerLogin;
import org.apache.camel.Exchange;

/** The credentials for a connection, bean {@code login}. */
interface Login {

  /** Whether the credentials for the next connection are available. */
  boolean isComplete();

  /** For routes: address and credentials of the broker. */
  BrokerLogin brokerLogin();

  /** Route step: handles a failed call or connection; discards refused credentials. */
  void failed(Exchange exchange);

  /** For routes: whether the broker refused new credentials, so that a long pause is necessary. */
  boolean isRefused();

  /** For routes: the failed call and the reason, for the log. */
  String failure(Exchange exchange);

  /** Discards the credentials, so that the next connection requests new ones. */
  void forget();
}
