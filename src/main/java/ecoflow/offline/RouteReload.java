package ecoflow.offline;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.routes.RouteFiles;
import ecoflow.routes.RouteProblem;
import ecoflow.runtime.OutOfMemory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteTemplateDefinition;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reloads the user's route files when they change. If a file has errors, they are logged and the
 * routes are not changed.
 */
public final class RouteReload {

  public static final long SECONDS = 2;

  private static final Logger LOG = LoggerFactory.getLogger(RouteReload.class);

  /**
   * The routes of this file run on the event loop of the connection, on which other threads wait
   * for the broker. Pushes wait while it is reloaded.
   */
  private static final String PUSHES = "/account-messages.camel.yaml";

  /** Definitions on which routes in other files depend; if they change, all files are reloaded. */
  private static final Pattern SHARED_DEFINITION =
      Pattern.compile("\\broute-?([Cc]onfiguration|[Tt]emplate):");

  private static final String KEPT = "Routes are not reloaded: ";

  private final ModelCamelContext camel;
  private final Settings settings;
  private final ExporterBeans.Factory factory;
  private final Runnable exit;

  /** The contents of the files by location: as last read, and of the running routes. */
  private Map<String, String> seen = Map.of();

  private Map<String, String> running;

  /**
   * @param exit ends the process; called if the previous routes cannot be restarted either
   */
  public RouteReload(
      CamelContext camel, Settings settings, ExporterBeans.Factory factory, Runnable exit) {
    this.camel = (ModelCamelContext) camel;
    this.settings = settings;
    this.factory = factory;
    this.exit = exit;
    running = files();
    seen = running;
  }

  /** Reloads files that have changed. Call it periodically; it never throws. */
  public void check() {
    try {
      Map<String, String> now = files();
      if (!now.equals(seen)) {
        seen = now;
        List<String> problems = RouteCheck.problems(settings, factory);
        if (problems.isEmpty()) {
          reload(now);
        } else {
          problems.forEach(line -> LOG.warn("{}{}", KEPT, line));
        }
      }
    } catch (ConfigException e) {
      LOG.warn("{}{}", KEPT, e.getMessage());
    } catch (RuntimeException e) {
      OutOfMemory.endIf(e);
      LOG.error("Failed to check the route files", e);
    }
  }

  /**
   * @param locations the locations of the files that are reloaded
   * @param all whether shared definitions are reloaded, too
   */
  private record Change(Set<String> locations, boolean all) {

    static Change of(Map<String, String> before, Map<String, String> now) {
      Set<String> changed = new HashSet<>(before.keySet());
      changed.addAll(now.keySet());
      Set<String> others = Set.copyOf(changed);
      changed.removeIf(name -> before.getOrDefault(name, "").equals(now.getOrDefault(name, "")));
      boolean all =
          changed.stream()
              .anyMatch(
                  name -> hasSharedDefinition(name, before) || hasSharedDefinition(name, now));
      if (all) {
        others.stream()
            .filter(name -> !name.endsWith(PUSHES) || hasSharedDefinition(name, now))
            .forEach(changed::add);
      }
      return new Change(changed, all);
    }

    private static boolean hasSharedDefinition(String location, Map<String, String> texts) {
      return SHARED_DEFINITION.matcher(texts.getOrDefault(location, "")).find();
    }

    @Override
    public String toString() {
      return locations.stream()
          .map(location -> location.substring(location.lastIndexOf('/') + 1))
          .distinct()
          .sorted()
          .collect(Collectors.joining(", "));
    }
  }

  private void reload(Map<String, String> now) {
    Map<String, String> before = running;
    Change change = Change.of(before, now);
    if (change.locations().isEmpty()) {
      // The last change was reverted.
      return;
    }
    try {
      replace(change, now);
      running = now;
      LOG.info("Reloaded routes: {}", change);
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      String line = RouteProblem.describe(e, camel);
      // A running context reports a failed start without the file of the route.
      LOG.warn("{}{}", KEPT, line.contains(RouteFiles.SUFFIX) ? line : change + ": " + line);
      LOG.debug("Cause of the failed reload", e);
      restore(change, before);
    }
  }

  private void restore(Change change, Map<String, String> before) {
    try {
      replace(change, before);
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      LOG.error(
          "Failed to restart the previous routes: {}; the exporter exits",
          RouteProblem.describe(e, camel));
      exit.run();
    }
  }

  private void replace(Change change, Map<String, String> texts) throws Exception {
    Set<String> locations = change.locations();
    for (RouteDefinition route : new ArrayList<>(camel.getRouteDefinitions())) {
      if (locations.contains(route.getLocation())) {
        camel.removeRouteDefinition(route);
      }
    }
    if (change.all()) {
      for (RouteConfigurationDefinition configuration :
          new ArrayList<>(camel.getRouteConfigurationDefinitions())) {
        camel.removeRouteConfiguration(configuration);
      }
      for (RouteTemplateDefinition template :
          new ArrayList<>(camel.getRouteTemplateDefinitions())) {
        camel.removeRouteTemplateDefinition(template);
      }
    }
    List<Resource> files = new ArrayList<>();
    texts.forEach(
        (location, text) -> {
          if (locations.contains(location)) {
            files.add(ResourceHelper.fromString(location, text));
          }
        });
    PluginHelper.getRoutesLoader(camel).loadRoutes(files);
  }

  /** All route files with their contents, in the order in which their routes start. */
  private Map<String, String> files() {
    try {
      Map<String, String> files = new LinkedHashMap<>();
      for (String location : RouteFiles.of(settings).locations()) {
        Resource file = ResourceHelper.resolveMandatoryResource(camel, location);
        try (InputStream text = file.getInputStream()) {
          files.put(location, new String(text.readAllBytes(), StandardCharsets.UTF_8));
        }
      }
      return files;
    } catch (IOException | ConfigException e) {
      // The directory is changing; the next check reads it again.
      LOG.debug("Failed to read the route files", e);
      return seen;
    }
  }
}
