package ecoflow;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.component.platform.http.spi.PlatformHttpEngine;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;

/**
 * Loads the route files of a folder as the exporter would, into a Camel context that starts none of
 * their routes: no port is opened, and nobody is called.
 */
final class RouteCheck {

  private static final Map<String, String> KEYS =
      Map.of("ECOFLOW_ACCESS_KEY", "none", "ECOFLOW_SECRET_KEY", "none");
  private static final Map<String, String> ACCOUNT =
      Map.of("ECOFLOW_ACCOUNT_USER", "none", "ECOFLOW_ACCOUNT_PASSWORD", "none");

  private RouteCheck() {}

  /**
   * What is wrong in any of the modes, a line each; no credentials are needed.
   *
   * @throws ConfigException when a setting of the environment is not valid
   */
  static List<String> problems(Map<String, String> variables, Path folder) throws ConfigException {
    Set<String> problems = new LinkedHashSet<>();
    for (Settings.Mode mode : Settings.Mode.values()) {
      Map<String, String> all = new HashMap<>(variables);
      KEYS.keySet().forEach(name -> remove(all, name));
      ACCOUNT.keySet().forEach(name -> remove(all, name));
      all.putAll(mode.usesAccount() ? ACCOUNT : KEYS);
      all.put("ECOFLOW_API_TYPE", mode.label());
      all.putIfAbsent("ECOFLOW_DEVICE_SN", "all");
      all.put(Settings.ROUTES_DIR, folder.toString());
      Set<String> found = new LinkedHashSet<>(problems(Settings.from(all)));
      if (!found.isEmpty()) {
        // Packaged routes of all modes name routes that only one mode has, and do not use them.
        all.remove(Settings.ROUTES_DIR);
        found.removeAll(problems(Settings.from(all)));
      }
      problems.addAll(found);
    }
    return List.copyOf(problems);
  }

  private static void remove(Map<String, String> variables, String name) {
    variables.remove(name);
    variables.remove(name + "_FILE");
  }

  private static List<String> problems(Settings settings) throws ConfigException {
    List<String> problems = new ArrayList<>();
    ComponentJars.load(settings.libDir());
    CamelContext camel = new DefaultCamelContext();
    try (Beans beans = new Beans(settings.withoutRegistries())) {
      camel.setAutoStartup(false);
      beans.configure(camel);
      // A route that answers HTTP asks for one when it is made, and uses it when it starts.
      PlatformHttpEngine nobody =
          (endpoint, processor) -> {
            throw new IllegalStateException("no route starts");
          };
      camel.getRegistry().bind("platform-http-engine", nobody);
      Map<String, String> places = new HashMap<>();
      for (String location : CamelSettings.routes(settings).locations()) {
        try {
          PluginHelper.getRoutesLoader(camel)
              .loadRoutes(ResourceHelper.resolveMandatoryResource(camel, location));
          problems.addAll(idsTwice(camel, places));
        } catch (Exception e) {
          problems.add(RouteProblem.describe(e, camel, location));
        }
      }
      if (problems.isEmpty()) {
        camel.start();
        problems.addAll(withoutConsumer(camel));
      }
    } catch (ConfigException e) {
      throw e;
    } catch (Exception e) {
      problems.add(RouteProblem.describe(e, camel));
    } finally {
      camel.stop();
    }
    return problems;
  }

  /** The second route of an id takes the place of the first, which nobody would hear of. */
  private static List<String> idsTwice(CamelContext camel, Map<String, String> places) {
    List<String> problems = new ArrayList<>();
    for (RouteDefinition route : ((ModelCamelContext) camel).getRouteDefinitions()) {
      String place = RouteProblem.place(route);
      String before = places.put(route.getRouteId(), place);
      if (before != null && !before.equals(place)) {
        problems.add(place + ": the route id " + route.getRouteId() + " is also at " + before);
      }
    }
    return problems;
  }

  /** Camel sends into the void when a message comes, and not before. */
  private static List<String> withoutConsumer(CamelContext camel) {
    Set<String> consumed = new LinkedHashSet<>();
    camel.getRoutes().forEach(route -> consumed.add(name(route)));
    return camel.getEndpoints().stream()
        .filter(endpoint -> endpoint.getEndpointUri().startsWith("direct:"))
        .map(endpoint -> endpoint.getEndpointBaseUri())
        .filter(uri -> !consumed.contains(uri))
        .sorted()
        .map(uri -> uri + ": no route starts with it")
        .toList();
  }

  private static String name(Route route) {
    return route.getEndpoint().getEndpointBaseUri();
  }
}
