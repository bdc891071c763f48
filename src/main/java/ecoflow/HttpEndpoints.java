package ecoflow;

import ecoflow.web.Protection.Endpoint;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;

/** The HTTP paths that packaged routes and users' routes serve. */
final class HttpEndpoints implements Function<String, Optional<Endpoint>> {

  private static final Pattern PARAMETER = Pattern.compile("\\{[^/}]+}");
  private static final Set<String> WITH_BODY = Set.of("POST", "PUT", "PATCH");

  private final CamelContext camel;

  HttpEndpoints(CamelContext camel) {
    this.camel = camel;
  }

  /** Reads the routes on each call, because they can be reloaded. */
  @Override
  public Optional<Endpoint> apply(String path) {
    boolean isFound = false;
    boolean hasAllMethods = false;
    boolean acceptsBody = false;
    Set<String> methods = new HashSet<>();
    for (Route route : camel.getRoutes()) {
      if (route.getEndpoint() instanceof PlatformHttpEndpoint endpoint && answers(endpoint, path)) {
        Set<String> own = methods(endpoint);
        isFound = true;
        hasAllMethods |= own.isEmpty();
        acceptsBody |= endpoint.getConsumes() != null || !Collections.disjoint(own, WITH_BODY);
        methods.addAll(own);
      }
    }
    return isFound
        ? Optional.of(new Endpoint(hasAllMethods ? Set.of() : methods, acceptsBody))
        : Optional.empty();
  }

  private static boolean answers(PlatformHttpEndpoint endpoint, String path) {
    String own = endpoint.getPath();
    if (endpoint.isMatchOnUriPrefix() || own.endsWith("*")) {
      String start = own.endsWith("*") ? own.substring(0, own.length() - 1) : own;
      int parameter = start.indexOf('{');
      return path.startsWith(parameter < 0 ? start : start.substring(0, parameter));
    }
    return own.equals(path) || (own.contains("{") && pattern(own).matcher(path).matches());
  }

  private static Pattern pattern(String path) {
    return Pattern.compile(
        Arrays.stream(PARAMETER.split(path, -1))
            .map(Pattern::quote)
            .collect(Collectors.joining("[^/]+")));
  }

  private static Set<String> methods(PlatformHttpEndpoint endpoint) {
    String methods = endpoint.getHttpMethodRestrict();
    Set<String> found = new HashSet<>();
    if (methods != null && !methods.isBlank()) {
      for (String method : methods.toUpperCase(Locale.ROOT).split(",")) {
        found.add(method.strip());
      }
    }
    return found;
  }
}
