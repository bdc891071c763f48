package ecoflow.runtime;

import ecoflow.text.FailedStep;
import ecoflow.text.Lines;
import org.apache.camel.Exchange;
import org.slf4j.LoggerFactory;

/** Logs errors that no route handles, bean {@code unexpectedErrors}. */
public final class UnexpectedErrors {

  private final Lines lines =
      new Lines(LoggerFactory.getLogger("ecoflow.routes"), System::nanoTime);

  /**
   * Route step: logs the route, the cause and, for a user's route, the step, at most once a minute
   * for each of them.
   */
  public void log(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    String place =
        "Route "
            + exchange.getFromRouteId()
            + " failed"
            + FailedStep.of(failure).map(step -> " at " + step).orElse("");
    // The subject does not include the text of the failure, which can contain values.
    lines.error(
        place + Lines.rootCause(failure).getClass(),
        place + ": " + Lines.root(failure) + "; continuing with the next message");
  }
}
