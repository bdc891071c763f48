package ecoflow.offline;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.routes.RouteFiles;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.Route;
import org.apache.camel.component.direct.DirectEndpoint;
import org.apache.camel.component.paho.PahoEndpoint;
import org.apache.camel.impl.DefaultCamelContext;

/**
 * A Camel context with the beans of the exporter, in which only routes from {@code direct} and
 * {@code paho} endpoints are started, so that it has no timers and no web server.
 */
final class QuietContext implements AutoCloseable {

  private static final int STOP_SECONDS = 2;

  private final ExporterBeans beans;
  private final CamelContext camel = new DefaultCamelContext();

  QuietContext(Settings settings, ExporterBeans.Factory factory) throws ConfigException {
    beans = factory.create(settings.forCommands());
    try {
      camel.setAutoStartup(false);
      camel.setStreamCaching(false);
      camel.getShutdownStrategy().setTimeout(STOP_SECONDS);
      camel.getShutdownStrategy().setSuppressLoggingOnTimeout(true);
      camel.getShutdownStrategy().setLogInflightExchangesOnTimeout(false);
      beans.configure(camel);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  CamelContext camel() {
    return camel;
  }

  ExporterBeans beans() {
    return beans;
  }

  /**
   * Loads packaged route files and starts their {@code direct} and {@code paho} routes.
   *
   * @param names without {@value RouteFiles#SUFFIX}
   */
  void start(List<String> names) throws Exception {
    RouteFiles.load(camel, names);
    camel.start();
    for (Route route : camel.getRoutes()) {
      Endpoint from = route.getEndpoint();
      if (from instanceof DirectEndpoint || from instanceof PahoEndpoint) {
        camel.getRouteController().startRoute(route.getRouteId());
      }
    }
  }

  @Override
  public void close() {
    beans.disconnect();
    camel.stop();
    beans.close();
  }
}
