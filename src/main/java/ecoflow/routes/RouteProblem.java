package ecoflow.routes;

import ecoflow.text.Lines;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.FailedToStartRouteException;
import org.apache.camel.LineNumberAware;
import org.apache.camel.NoSuchEndpointException;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;

/** Describes an error in a route file in one line, with its location if Camel reports it. */
public final class RouteProblem {

  private static final Pattern SCHEME = Pattern.compile("could be found for: ([\\w+.-]+)");

  private RouteProblem() {}

  /**
   * Describes a failed start.
   *
   * @param camel a context with the locations of the routes
   */
  public static String describe(Throwable failure, CamelContext camel) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof MarkedYamlEngineException yaml && yaml.getProblemMark().isPresent()) {
        Mark mark = yaml.getProblemMark().get();
        return location(mark.getName(), mark.getLine() + 1)
            + ": "
            + YamlWords.of(yaml.getProblem());
      }
      if (cause instanceof FailedToCreateRouteException route) {
        return of(route.getRouteId(), cause, camel);
      }
      if (cause instanceof FailedToStartRouteException route) {
        return of(route.getRouteId(), cause, camel);
      }
    }
    return reason(failure);
  }

  /** Describes a failure to load one file. */
  public static String describe(Throwable failure, CamelContext camel, String location) {
    String file = withoutScheme(location);
    String line = describe(failure, camel);
    return line.contains(file) ? line : file + ": " + line;
  }

  private static String of(String routeId, Throwable failure, CamelContext camel) {
    RouteDefinition route = ((ModelCamelContext) camel).getRouteDefinition(routeId);
    String location = route == null ? "" : location(route, failure) + ": ";
    return location + "route " + routeId + ": " + reason(failure);
  }

  /** The location of the step in Camel's message, otherwise of the route. */
  private static String location(RouteDefinition route, Throwable failure) {
    String message = String.valueOf(failure.getMessage());
    return route.getOutputs().stream()
        .filter(step -> step.getLineNumber() > 0 && message.contains(">>> " + step + " <<<"))
        .findFirst()
        .map(step -> location(String.valueOf(route.getLocation()), step.getLineNumber()))
        .orElseGet(() -> location(route));
  }

  /** The file and the first line of a route or a step. */
  static String location(LineNumberAware source) {
    return location(String.valueOf(source.getLocation()), source.getLineNumber());
  }

  private static String location(String file, int line) {
    return withoutScheme(file) + ":" + line;
  }

  /**
   * A line about routes that were read but are not running, which Camel does not report; empty if
   * all are running.
   */
  public static Optional<String> missingRoutes(CamelContext camel) {
    int read = ((ModelCamelContext) camel).getRouteDefinitions().size();
    int running = camel.getRoutesSize();
    return running > 0 && running == read
        ? Optional.empty()
        : Optional.of(
            running + " of " + read + " routes are running: check that all route files exist");
  }

  private static String withoutScheme(String location) {
    return location.replaceFirst("^(file|classpath):", "");
  }

  private static String reason(Throwable failure) {
    Throwable root = Lines.rootCause(failure);
    if (root instanceof NoSuchEndpointException) {
      Matcher scheme = SCHEME.matcher(String.valueOf(root.getMessage()));
      if (scheme.find()) {
        return Libraries.missingError("component", scheme.group(1));
      }
    }
    return Lines.root(failure);
  }
}
