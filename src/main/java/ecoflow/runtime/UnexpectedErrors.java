package ecoflow.runtime;

import ecoflow.text.Lines;
import org.apache.camel.Exchange;

/** Words for what no route expected, bean {@code unexpectedErrors}. */
public final class UnexpectedErrors {

  /** For routes: why, in one line. */
  public String reason(Exchange exchange) {
    return Lines.root(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
  }
}
