package ecoflow.offline;

import ecoflow.command.Commands;
import ecoflow.config.ConfigException;
import ecoflow.config.KafkaSettings;
import ecoflow.config.KafkaSettings.Role;
import ecoflow.config.Settings;
import ecoflow.config.Shard;
import ecoflow.routes.RouteFiles;
import ecoflow.routes.RouteLint;
import ecoflow.routes.RouteProblem;
import ecoflow.runtime.ComponentJars;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.spi.PlatformHttpEngine;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;

/**
 * Loads the route files of a directory like the exporter, into a Camel context that does not start
 * their routes, so that it opens no port and makes no calls.
 */
public final class RouteCheck {

  private static final Map<String, String> KEYS =
      Map.of("ECOFLOW_ACCESS_KEY", "none", "ECOFLOW_SECRET_KEY", "none");
  private static final Map<String, String> ACCOUNT =
      Map.of("ECOFLOW_ACCOUNT_USER", "none", "ECOFLOW_ACCOUNT_PASSWORD", "none");

  /** Camel creates Kafka clients when it loads routes, and their address must be resolvable. */
  private static final String UNREACHABLE = "127.0.0.1:1";

  private RouteCheck() {}

  /**
   * Checks the files in all modes. Credentials and brokers are not required. A warning is a finding
   * in all modes, a problem an error in any mode.
   *
   * @throws ConfigException if a setting in the environment is not valid
   */
  public static Commands.RouteReport report(
      Map<String, String> variables, ExporterBeans.Factory factory, Path directory)
      throws ConfigException {
    Set<String> problems = new LinkedHashSet<>();
    Set<String> warnings = null;
    for (Settings.Mode mode : Settings.Mode.values()) {
      Map<String, String> all = new HashMap<>(variables);
      KEYS.keySet().forEach(name -> remove(all, name));
      ACCOUNT.keySet().forEach(name -> remove(all, name));
      all.remove(Settings.ACCOUNTS_FILE);
      all.remove(Shard.VARIABLE);
      all.putAll(mode.usesAccount() ? ACCOUNT : KEYS);
      all.put("ECOFLOW_API_TYPE", mode.label());
      all.putIfAbsent("ECOFLOW_DEVICE_SN", "all");
      all.put(Settings.ROUTES_DIR, directory.toString());
      if (KafkaSettings.role(all) != Role.ALL) {
        all.put(KafkaSettings.BROKERS, UNREACHABLE);
      }
      RouteLint.Findings found = check(Settings.from(all), factory);
      problems.addAll(found.problems());
      // In the modes that do not need a packaged route, definitions for it have no effect.
      if (warnings == null) {
        warnings = new LinkedHashSet<>(found.warnings());
      } else {
        warnings.retainAll(found.warnings());
      }
    }
    List<String> lines = new ArrayList<>(RouteFiles.ignored(directory));
    lines.addAll(warnings);
    return new Commands.RouteReport(RouteFiles.read(directory), lines, List.copyOf(problems));
  }

  private static void remove(Map<String, String> variables, String name) {
    variables.remove(name);
    variables.remove(name + "_FILE");
  }

  /** The errors with these settings, one line each. */
  static List<String> problems(Settings settings, ExporterBeans.Factory factory)
      throws ConfigException {
    return check(settings, factory).problems();
  }

  private static RouteLint.Findings check(Settings settings, ExporterBeans.Factory factory)
      throws ConfigException {
    ComponentJars.load(settings.libDir());
    try (QuietContext context = new QuietContext(settings, factory)) {
      return check(settings, context.camel());
    }
  }

  private static RouteLint.Findings check(Settings settings, CamelContext camel)
      throws ConfigException {
    // A route that serves HTTP looks up a server when it is created, but uses it only when it is
    // started.
    PlatformHttpEngine unused =
        (endpoint, processor) -> {
          throw new IllegalStateException("No route is started");
        };
    camel.getRegistry().bind("platform-http-engine", unused);
    RouteLint.Findings found = RouteLint.check(camel, settings);
    List<String> problems = new ArrayList<>(found.problems());
    for (String location : RouteFiles.of(settings).locations()) {
      if (!isReported(problems, location)) {
        try {
          PluginHelper.getRoutesLoader(camel)
              .loadRoutes(ResourceHelper.resolveMandatoryResource(camel, location));
        } catch (Exception e) {
          problems.add(RouteProblem.describe(e, camel, location));
        }
      }
    }
    if (problems.isEmpty()) {
      try {
        camel.start();
      } catch (Exception e) {
        problems.add(RouteProblem.describe(e, camel));
      }
    }
    return new RouteLint.Findings(problems, found.warnings());
  }

  private static boolean isReported(List<String> problems, String location) {
    return problems.stream().anyMatch(line -> location.contains(line.split(":[0-9]+: ")[0]));
  }
}
