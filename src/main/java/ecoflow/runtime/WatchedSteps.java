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
 * Detects an OutOfMemoryError in the steps of all routes, including users' routes. Camel passes
 * errors to the error handler of the route or to doCatch, like other failures, and continues.
 */
final class WatchedSteps implements InterceptStrategy {

  @Override
  public Processor wrapProcessorInInterceptors(
      CamelContext context, NamedNode definition, Processor step, Processor nextStep) {
    return hasNestedSteps(definition) ? step : new WatchedStep(step);
  }

  /** Errors in nested steps are detected there. A check costs 0.1 µs per message. */
  private static boolean hasNestedSteps(NamedNode step) {
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
        // Steps run in the calling thread. Only after the pause of a redelivery they continue in
        // another thread.
        boolean inThisThread = processor.process(exchange, callback);
        check(exchange);
        return inThisThread;
      } catch (OutOfMemoryError e) {
        OutOfMemory.endIf(e);
        throw e;
      }
    }

    private static void check(Exchange exchange) {
      OutOfMemory.endIf(exchange.getException());
      // In a step of an error handler, the handled error may have occurred between steps.
      OutOfMemory.endIf(
          exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class));
    }
  }
}
