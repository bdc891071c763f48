package ecoflow.routes;

import ecoflow.text.FailedStep;
import ecoflow.text.PlainException;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * Attaches file and line to failures in steps of user files, because Camel reports neither. The
 * packaged routes pass such a failure on, for example as a failed poll.
 */
final class UserSteps implements InterceptStrategy {

  private static final String FILE = "file:";

  @Override
  public Processor wrapProcessorInInterceptors(
      CamelContext context, NamedNode definition, Processor step, Processor nextStep) {
    return isOfUser(definition) ? new UserStep(step, RouteProblem.location(definition)) : step;
  }

  /**
   * In a file that replaces a packaged file, calls are those of the exporter: if EcoFlow does not
   * respond, the step is not the reason.
   */
  private static boolean isOfUser(NamedNode definition) {
    String file = definition.getLocation();
    return file != null
        && file.startsWith(FILE)
        && !(definition instanceof ToDefinition && RouteFiles.isPackagedLocation(file));
  }

  private static final class UserStep extends DelegateAsyncProcessor {

    private final String location;

    UserStep(Processor step, String location) {
      super(step);
      this.location = location;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      try {
        return processor.process(
            exchange,
            doneSync -> {
              record(exchange.getException());
              callback.done(doneSync);
            });
      } catch (RuntimeException | Error e) {
        record(e);
        throw e;
      }
    }

    /** A plain exception describes a failure of a call of the exporter. */
    private void record(Throwable failure) {
      if (failure != null && !(failure instanceof PlainException)) {
        FailedStep.record(failure, location);
      }
    }
  }
}
