package ecoflow;

import ecoflow.account.Accounts;
import ecoflow.config.DeviceSettings;
import ecoflow.config.HttpSettings;
import ecoflow.config.MqttSettings;
import ecoflow.config.Settings;
import ecoflow.config.Settings.Mode;
import ecoflow.routes.RouteFiles;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.camel.CamelContext;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.component.http.HttpEndpointUriFactory;
import org.apache.camel.spi.PropertiesComponent;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.HttpClientConnectionManager;
import org.apache.hc.client5.http.socket.ConnectionSocketFactory;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.config.Registry;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.util.TimeValue;

/** The settings as placeholders of the routes and options of Camel components. */
final class CamelSettings {

  private static final String CLOUD = "cloud";

  /** The maximum size of a request body, in bytes, on paths of users' routes that accept one. */
  private static final int MAX_BODY = 1 << 20;

  /** The periods of timers with several accounts, whose schedules contain the intervals. */
  private static final Duration TICK = Duration.ofSeconds(1);

  /**
   * More than the threads that make calls, see {@code Pools}: a call of one account never waits for
   * the connection of another one, whose response can take long.
   */
  private static final int CONNECTIONS = 1_000;

  private static final Duration HISTORY_DELAY = Duration.ofSeconds(30);
  private static final Duration SHORT_TICK = Duration.ofMillis(250);

  private CamelSettings() {}

  /** Properties of Camel Main; environment variables CAMEL_... override them. */
  static Map<String, String> main(Settings settings, RouteFiles routes) {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("camel.server.enabled", "true");
    // Packaged pages accept no body. The guard rejects larger bodies before they are read.
    properties.put("camel.server.maxBodySize", Integer.toString(MAX_BODY));
    properties.put("camel.server.port", Integer.toString(settings.page().port()));
    settings.page().address().ifPresent(address -> properties.put("camel.server.host", address));
    properties.put("camel.main.routesIncludePattern", String.join(",", routes.locations()));
    return properties;
  }

  /** Sets the placeholders and the component that every Camel context needs. */
  static void configure(CamelContext camel, Settings settings, Accounts accounts) {
    PropertiesComponent properties = camel.getPropertiesComponent();
    placeholders(settings, accounts).forEach(properties::addInitialProperty);
    camel.getRegistry().bind("cloudUris", new CloudUris());
    HttpComponent cloud = cloud(camel, settings.http());
    if (accounts.areNamed()) {
      cloud.setMaxTotalConnections(CONNECTIONS);
      cloud.setConnectionsPerRoute(CONNECTIONS);
    }
    camel.addComponent(CLOUD, cloud);
  }

  private static Map<String, String> placeholders(Settings settings, Accounts accounts) {
    DeviceSettings devices = settings.devices();
    HttpSettings http = settings.http();
    MqttSettings mqtt = settings.mqtt();
    Map<String, String> values = new LinkedHashMap<>();
    values.put("ecoflow.mode", accounts.areNamed() ? "accounts" : settings.mode().label());
    // Whether any account needs the routes. Accounts of all modes can be added to a file.
    values.put("ecoflow.keys", isAny(accounts, mode -> !mode.usesAccount()));
    values.put("ecoflow.account", isAny(accounts, Mode::usesAccount));
    values.put("ecoflow.mqtt", isAny(accounts, Mode::usesMqtt));
    values.put("ecoflow.open", isAny(accounts, mode -> mode == Mode.OPEN));
    values.put("ecoflow.requests", isAny(accounts, mode -> mode == Mode.DEVICE));
    Optional<Duration> history = settings.historyInterval();
    values.put("ecoflow.history", history.isPresent() ? values.get("ecoflow.keys") : "false");
    values.put("ecoflow.open.connections", values.get("ecoflow.open"));
    if (settings.isServer()) {
      // Servers decode the messages of all modes, and have no connections to EcoFlow.
      values.put("ecoflow.requests", "false");
      values.put("ecoflow.open.connections", "false");
    }
    values.put("ecoflow.record.all", Boolean.toString(settings.recording().isAll()));
    values.put("ecoflow.accounts.named", Boolean.toString(accounts.areNamed()));
    values.put("ecoflow.metrics.prefix", settings.page().prefix());
    values.put("ecoflow.collecting.interval", millis(devices.collectingInterval()));
    values.put("ecoflow.http.retries", Integer.toString(http.retries()));
    values.put("ecoflow.http.backoff", millis(http.backoff()));
    boolean areNamed = accounts.areNamed();
    values.put("ecoflow.poll.tick", millis(areNamed ? SHORT_TICK : devices.collectingInterval()));
    values.put("ecoflow.request.tick", millis(areNamed ? SHORT_TICK : mqtt.requestInterval()));
    // After the device list and, with a short interval, the first polls.
    Duration firstPolls = devices.collectingInterval().multipliedBy(3);
    values.put("ecoflow.history.delay", millis(shorter(firstPolls, HISTORY_DELAY)));
    values.put("ecoflow.history.tick", millis(areNamed ? TICK : history.orElse(TICK)));
    values.put("ecoflow.history.pace", millis(http.backoff()));
    values.put("ecoflow.idle.check.tick", millis(areNamed ? TICK : mqtt.idleCheckInterval()));
    values.put("ecoflow.retry.tick", millis(areNamed ? TICK : http.pause()));
    if (areNamed) {
      values.put("ecoflow.list.check.tick", millis(TICK));
      values.put("ecoflow.discover.tick", millis(TICK));
    }
    return values;
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  private static String isAny(Accounts accounts, Predicate<Mode> condition) {
    return Boolean.toString(accounts.areNamed() || accounts.isAny(condition));
  }

  private static String millis(Duration duration) {
    return Long.toString(duration.toMillis());
  }

  /**
   * The component for calls to EcoFlow: Camel's HTTP component with a separate CA and separate
   * limits, which do not affect other HTTP calls of routes.
   */
  private static HttpComponent cloud(CamelContext camel, HttpSettings http) {
    long timeout = http.timeout().toMillis();
    HttpComponent component = new CloudComponent();
    component.setConnectTimeout(timeout);
    component.setConnectionRequestTimeout(timeout);
    component.setResponseTimeout(timeout);
    component.setSoTimeout(timeout);
    // HttpClient would retry after 503 with the nonce of the failed attempt.
    component.setAutomaticRetriesDisabled(true);
    component.setCopyHeaders(false);
    component.setHttpClientConfigurer(
        camel.getRegistry().lookupByNameAndType("httpBounds", HttpClientConfigurer.class));
    component.setSslContextParameters(
        camel.getRegistry().lookupByNameAndType("cloudTls", SSLContextParameters.class));
    return component;
  }

  /**
   * Limits the headers of a response, including those of a proxy: by default the client has no
   * limit and keeps all headers in memory.
   */
  private static final class CloudComponent extends HttpComponent {

    private static final int MAX_HEADERS = 200;
    private static final int MAX_LINE = 16 * 1024;

    @Override
    @SuppressWarnings("deprecation") // Camel has no other hook for the limits.
    protected HttpClientConnectionManager createConnectionManager(
        Registry<ConnectionSocketFactory> schemes,
        int maxTotal,
        int maxPerRoute,
        SocketConfig socket) {
      Http1Config limits =
          Http1Config.custom().setMaxHeaderCount(MAX_HEADERS).setMaxLineLength(MAX_LINE).build();
      PoolingHttpClientConnectionManager connections =
          new PoolingHttpClientConnectionManager(
              schemes,
              PoolConcurrencyPolicy.STRICT,
              TimeValue.ofMilliseconds(getConnectionTimeToLive()),
              ManagedHttpClientConnectionFactory.builder().http1Config(limits).build());
      connections.setMaxTotal(getMaxTotalConnections());
      connections.setDefaultMaxPerRoute(getConnectionsPerRoute());
      connections.setDefaultSocketConfig(socket);
      return connections;
    }
  }

  /**
   * Builds endpoint URIs from parameters for this component, as Camel does for its HTTP component.
   */
  private static final class CloudUris extends HttpEndpointUriFactory {

    @Override
    public boolean isEnabled(String scheme) {
      return CLOUD.equals(scheme);
    }
  }
}
