package ecoflow.memory;

import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * Looks after every step of every route, also of edited ones, whether it ran out of memory. Camel
 * hands errors to the error handler of the route or to doCatch like any other failure, and goes on.
 */
public final class WatchedSteps implements InterceptStrategy {

  @Override
  public Processor wrapProcessorInInterceptors(
      CamelContext context, NamedNode definition, Processor step, Processor nextStep) {
    return new WatchedStep(step);
  }

  private static final class WatchedStep extends DelegateAsyncProcessor {

    WatchedStep(Processor step) {
      super(step);
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      try {
        return super.process(
            exchange,
            doneSync -> {
              look(exchange);
              callback.done(doneSync);
            });
      } catch (OutOfMemoryError e) {
        OutOfMemory.endIf(e);
        throw e;
      }
    }

    private static void look(Exchange exchange) {
      OutOfMemory.endIf(exchange.getException());
      // A step of an error handler: what it handles struck between steps.
      OutOfMemory.endIf(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
    }
  }
}
