package ecoflow.runtime;

import ecoflow.text.Lines;
import org.apache.camel.Exchange;

/** Describes errors that no route handles, bean {@code unexpectedErrors}. */
public final class UnexpectedErrors {

  /** For routes: the cause in one line. */
  public String reason(Exchange exchange) {
    return Lines.root(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
  }
}
