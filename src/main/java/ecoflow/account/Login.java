package ecoflow.account;

/** The credentials for a connection. */
interface Login {

  /** Whether the next connection requires no call for credentials. */
  boolean isComplete();

  /** Discards the credentials, so that the next connection requests new ones. */
  void forget();
}
