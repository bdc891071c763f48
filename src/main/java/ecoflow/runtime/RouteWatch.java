package ecoflow.runtime;

import ecoflow.text.Lines;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restarts routes that stopped, and ends the process if that fails, because a restart of the
 * process is better than a process that works only in part.
 */
public final class RouteWatch {

  public static final long SECONDS = 5;

  private static final Logger LOG = LoggerFactory.getLogger(RouteWatch.class);

  private final CamelContext camel;
  private final Runnable exit;
  private final Lines lines = new Lines(LOG, System::nanoTime);

  public RouteWatch(CamelContext camel, Runnable exit) {
    this.camel = camel;
    this.exit = exit;
  }

  /** Checks all routes once. Call it every {@value #SECONDS} s; it never throws. */
  public void check() {
    try {
      for (Route route : camel.getRoutes()) {
        ServiceStatus status = camel.getRouteController().getRouteStatus(route.getId());
        if (camel.isStarted() && status != null && status.isStopped()) {
          if (route.isAutoStartup()) {
            restart(route.getId());
          } else {
            startLate(route.getId());
          }
        }
      }
    } catch (RuntimeException | Error e) {
      OutOfMemory.endIf(e);
      LOG.error("Failed to check the routes", e);
    }
  }

  /**
   * Starts a route with autoStartup false, for example because its server may be unavailable at
   * start.
   */
  private void startLate(String id) {
    try {
      camel.getRouteController().startRoute(id);
      LOG.info("Route {} was started", id);
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      lines.warn(id, "Failed to start route " + id + ": " + Lines.root(e) + "; retrying");
      LOG.debug("Cause of the failed start of route {}", id, e);
    }
  }

  private void restart(String id) {
    try {
      camel.getRouteController().startRoute(id);
      LOG.warn("Route {} stopped and was restarted", id);
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      LOG.error("Route {} stopped and cannot be restarted; the exporter exits", id);
      LOG.debug("Cause of the failed restart", e);
      exit.run();
    }
  }
}
