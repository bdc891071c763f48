package ecoflow;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.routes.RouteLint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.spi.PlatformHttpEngine;
import org.apache.camel.impl.DefaultCamelContext;
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
      problems.addAll(problems(Settings.from(all)));
    }
    return List.copyOf(problems);
  }

  private static void remove(Map<String, String> variables, String name) {
    variables.remove(name);
    variables.remove(name + "_FILE");
  }

  /** What is wrong with these settings. */
  static List<String> problems(Settings settings) throws ConfigException {
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
      problems.addAll(lint(camel, settings));
      for (String location : CamelSettings.routes(settings).locations()) {
        if (!isTold(problems, location)) {
          try {
            PluginHelper.getRoutesLoader(camel)
                .loadRoutes(ResourceHelper.resolveMandatoryResource(camel, location));
          } catch (Exception e) {
            problems.add(RouteProblem.describe(e, camel, location));
          }
        }
      }
      if (problems.isEmpty()) {
        camel.start();
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

  private static boolean isTold(List<String> problems, String location) {
    return problems.stream().anyMatch(line -> location.contains(line.split(":[0-9]+: ")[0]));
  }

  /** What is wrong in the text of the user's files, of which Camel would tell the first at most. */
  static List<String> lint(CamelContext camel, Settings settings) throws ConfigException {
    List<String> locations = CamelSettings.routes(settings).locations();
    return RouteLint.hasOwn(locations)
        ? RouteLint.problems(camel, locations, CamelSettings.packagedRoutes(settings.mode()))
        : List.of();
  }
}
