package ecoflow.runtime;

import ecoflow.text.Lines;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts routes that stopped; ends the process when that fails, for a half-life helps nobody. */
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

  /** To be called every {@value #SECONDS} s; never throws. */
  public void look() {
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
      LOG.error("Cannot look after the routes", e);
    }
  }

  /** A route of autoStartup false, such as one that connects to what may be away. */
  private void startLate(String id) {
    try {
      camel.getRouteController().startRoute(id);
      LOG.info("Route {} has started", id);
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      lines.warn(
          id,
          "Route " + id + " does not start: " + Lines.root(e) + "; the next attempt comes soon");
      LOG.debug("Why route {} does not start", id, e);
    }
  }

  private void restart(String id) {
    try {
      camel.getRouteController().startRoute(id);
      LOG.warn("Route {} had stopped and was started again", id);
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      LOG.error("Route {} had stopped and does not start again; the exporter ends", id);
      LOG.debug("Why it does not start", e);
      giveUp.run();
    }
  }
}
