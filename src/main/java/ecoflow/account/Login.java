package ecoflow.account;

/** What a connection needs before it can be made. */
interface Login {

  /** Whether a connection needs no call before it. */
  boolean isComplete();

  /** Makes the next connection ask for everything anew. */
  void forget();
}
