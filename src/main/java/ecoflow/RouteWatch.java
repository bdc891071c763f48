package ecoflow;

import ecoflow.memory.OutOfMemory;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts routes that stopped; ends the process when that fails, for a half-life helps nobody. */
final class RouteWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(RouteWatch.class);
  private static final long SECONDS = 2;

  private final CamelContext camel;
  private final Runnable giveUp;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "route-watch");
            thread.setDaemon(true);
            return thread;
          });

  RouteWatch(CamelContext camel, Runnable giveUp) {
    this.camel = camel;
    this.giveUp = giveUp;
    timer.scheduleWithFixedDelay(this::watch, SECONDS, SECONDS, TimeUnit.SECONDS);
  }

  private void watch() {
    try {
      look();
    } catch (RuntimeException | Error e) {
      OutOfMemory.endIf(e);
      // The timer would drop it, and this task with it.
      LOG.error("Cannot look after the routes", e);
    }
  }

  private void look() {
    for (Route route : camel.getRoutes()) {
      ServiceStatus status = camel.getRouteController().getRouteStatus(route.getId());
      if (camel.isStarted() && status != null && status.isStopped()) {
        restart(route.getId());
      }
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

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
