package ecoflow.runtime;

import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.model.ChoiceDefinition;
import org.apache.camel.model.FilterDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.model.TryDefinition;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * Looks after the steps of every route, also of edited ones, whether they ran out of memory. Camel
 * hands errors to the error handler of the route or to doCatch like any other failure, and goes on.
 */
final class WatchedSteps implements InterceptStrategy {

  @Override
  public Processor wrapProcessorInInterceptors(
      CamelContext context, NamedNode definition, Processor step, Processor nextStep) {
    return leadsToSteps(definition) ? step : new WatchedStep(step);
  }

  /** What strikes in the steps behind it is seen there; a look costs each message 0.1 µs. */
  private static boolean leadsToSteps(NamedNode step) {
    return step instanceof ChoiceDefinition
        || step instanceof FilterDefinition
        || step instanceof TryDefinition
        || step instanceof ToDefinition to && to.getEndpointUri().startsWith("direct:");
  }

  private static final class WatchedStep extends DelegateAsyncProcessor {

    WatchedStep(Processor step) {
      super(step);
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      try {
        // Steps work in the thread that calls them; what goes on elsewhere is a redelivery's pause.
        boolean inThisThread = processor.process(exchange, callback);
        look(exchange);
        return inThisThread;
      } catch (OutOfMemoryError e) {
        OutOfMemory.endIf(e);
        throw e;
      }
    }

    private static void look(Exchange exchange) {
      OutOfMemory.endIf(exchange.getException());
      // A step of an error handler: what it handles struck between steps.
      OutOfMemory.endIf(
          exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class));
    }
  }
}
