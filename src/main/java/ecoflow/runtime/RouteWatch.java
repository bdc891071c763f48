package ecoflow.runtime;

import ecoflow.text.Lines;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restarts routes that stopped, and ends the process if that fails: a half-working process is worse
 * than a restart.
 */
public final class RouteWatch {

  public static final long SECONDS = 2;

  private static final Logger LOG = LoggerFactory.getLogger(RouteWatch.class);

  private final CamelContext camel;
  private final Runnable giveUp;
  private final Lines lines = new Lines(LOG, System::nanoTime);

  public RouteWatch(CamelContext camel, Runnable giveUp) {
    this.camel = camel;
    this.giveUp = giveUp;
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
      LOG.error("Cannot check the routes", e);
    }
  }

  /** Starts a route with autoStartup false, such as one whose server may be down. */
  private void startLate(String id) {
    try {
      camel.getRouteController().startRoute(id);
      LOG.info("Route {} has started", id);
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      lines.warn(id, "Route " + id + " does not start: " + Lines.root(e) + "; next attempt soon");
      LOG.debug("Cause: route {} does not start", id, e);
    }
  }

  private void restart(String id) {
    try {
      camel.getRouteController().startRoute(id);
      LOG.warn("Route {} stopped and was restarted", id);
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      LOG.error("Route {} stopped and cannot be restarted; the exporter ends", id);
      LOG.debug("Cause", e);
      giveUp.run();
    }
  }
}
