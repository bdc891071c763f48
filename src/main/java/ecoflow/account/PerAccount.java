package ecoflow.account;

import java.util.function.Function;

/**
 * The state of a bean for each account. It is created on first use and discarded with the account.
 */
public final class PerAccount<T> {

  private final Function<Account, T> create;

  /**
   * @param create creates the initial state of an account; if two threads need it at the same time,
   *     the second one is discarded
   */
  public PerAccount(Function<Account, T> create) {
    this.create = create;
  }

  public T of(Account account) {
    return account.state(this, create);
  }

  /** Discards the state, so that the next use creates a new one. */
  public void reset(Account account) {
    account.resetState(this);
  }
}
