package ecoflow.routes;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutesDefinition;
import org.apache.camel.model.errorhandler.NoErrorHandlerDefinition;
import org.apache.camel.spi.Resource;

/**
 * Adds error handling to the user's routes without error handling: the error is logged in one line,
 * and the route continues with the next message. Camel would log two stack traces. Errors in routes
 * that other routes call are passed to the caller.
 */
public final class UserRouteErrors implements RouteBuilderLifecycleStrategy {

  private static final String CONFIGURATION = "unexpected-errors";

  private final ModelCamelContext camel;

  /** Also adds file and line to failures in the steps of all routes that are added later. */
  public UserRouteErrors(ModelCamelContext camel) {
    this.camel = camel;
    camel.getCamelContextExtension().addInterceptStrategy(new UserSteps());
  }

  @Override
  public void beforeConfigure(RouteBuilder file) {
    Resource resource = file.getResource();
    if (resource != null && resource.getLocation().startsWith("file:")) {
      RoutesDefinition routes = file.getRouteCollection();
      routes.setRoutes(new Routes(routes));
    }
  }

  /**
   * A list that modifies each route after it is parsed and before it is prepared, because Camel has
   * no hook for that.
   */
  private final class Routes extends AbstractList<RouteDefinition> {

    private final RoutesDefinition file;
    private final List<RouteDefinition> all = new ArrayList<>();

    Routes(RoutesDefinition file) {
      this.file = file;
    }

    @Override
    public RouteDefinition get(int index) {
      return all.get(index);
    }

    @Override
    public int size() {
      return all.size();
    }

    @Override
    public RouteDefinition remove(int index) {
      return all.remove(index);
    }

    @Override
    public void add(int index, RouteDefinition route) {
      if (hasNoErrorHandling(route)) {
        if (route.getInput().getEndpointUri().startsWith("direct:")) {
          route.setErrorHandlerFactory(new NoErrorHandlerDefinition());
        } else {
          RouteConfigurationDefinition packaged =
              camel.getRouteConfigurationDefinition(CONFIGURATION);
          List<OnExceptionDefinition> handlers =
              packaged == null ? List.of() : packaged.getOnExceptions();
          handlers.forEach(handler -> route.getOutputs().add(0, handler.copyDefinition()));
        }
      }
      all.add(index, route);
    }

    private boolean hasNoErrorHandling(RouteDefinition route) {
      return route.getRouteConfigurationId() == null
          && !route.isErrorHandlerFactorySet()
          && file.getOnExceptions().isEmpty()
          && camel.getRouteConfigurationDefinitions().stream()
              .noneMatch(UserRouteErrors::handlesErrorsOfAll);
    }
  }

  /** A configuration without an id applies to all routes without a configuration id. */
  private static boolean handlesErrorsOfAll(RouteConfigurationDefinition configuration) {
    return configuration.getId() == null
        && (configuration.getErrorHandler() != null || !configuration.getOnExceptions().isEmpty());
  }
}
