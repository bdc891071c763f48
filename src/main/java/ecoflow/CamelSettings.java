package ecoflow;

import ecoflow.config.ConfigException;
import ecoflow.config.DeviceSettings;
import ecoflow.config.HttpSettings;
import ecoflow.config.MqttSettings;
import ecoflow.config.Settings;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.component.http.HttpEndpointUriFactory;
import org.apache.camel.spi.PropertiesComponent;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
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

/** The settings in Camel's words: placeholders of the routes, and options of components. */
final class CamelSettings {

  private static final String CLOUD = "cloud";

  private static final List<String> ROUTES =
      List.of(
          "metrics-page",
          "health",
          "landing-page",
          "unknown-messages",
          "device-collection",
          "quotas",
          "cloud-call",
          "first-contact",
          "unexpected-errors");
  private static final List<String> REST_ROUTES =
      List.of("rest-device-list", "rest-device-values", "http-redelivery");
  private static final List<String> ACCOUNT_ROUTES =
      List.of("account-link", "account-login", "account-messages", "account-requests", "payload");

  private static final List<String> OPEN_ROUTES = List.of("open-link", "open-messages");

  /** Of those with an account, what serves developer keys as well. */
  private static final List<String> SHARED_ROUTES = List.of("account-link", "payload");

  private CamelSettings() {}

  /** The names of all packaged route files. */
  static List<String> routeFiles() {
    return Stream.of(ROUTES, REST_ROUTES, ACCOUNT_ROUTES, OPEN_ROUTES)
        .flatMap(List::stream)
        .map(CamelSettings::file)
        .sorted()
        .toList();
  }

  /** Loads packaged route files into a context that Camel Main does not make, by their names. */
  static void load(CamelContext camel, List<String> names) throws Exception {
    for (String name : names) {
      PluginHelper.getRoutesLoader(camel)
          .loadRoutes(
              ResourceHelper.resolveMandatoryResource(camel, "classpath:routes/" + file(name)));
    }
  }

  private static String file(String name) {
    return name + ".camel.yaml";
  }

  /** What Camel Main needs; variables CAMEL_... can override it. */
  static Map<String, String> main(Settings settings) throws ConfigException {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("camel.server.enabled", "true");
    properties.put("camel.server.port", Integer.toString(settings.page().port()));
    settings.page().address().ifPresent(address -> properties.put("camel.server.host", address));
    properties.put(
        "camel.main.routesIncludePattern", String.join(",", routes(settings).locations()));
    return properties;
  }

  /** The route files that run with these settings. */
  static RouteFiles routes(Settings settings) throws ConfigException {
    return RouteFiles.of(routes(settings.mode()), routeFiles(), settings.routesDir());
  }

  /** Where the route files are that run without any of the user's. */
  static List<String> packagedRoutes(Settings.Mode mode) throws ConfigException {
    return RouteFiles.of(routes(mode), routeFiles(), Optional.empty()).locations();
  }

  /**
   * The packaged route files that the mode has a use for. Each by its name: for a pattern such as
   * routes/*.camel.yaml Camel reads the whole jar, twice, which takes longer than all else.
   */
  private static List<String> routes(Settings.Mode mode) {
    Stream<List<String>> ofMode =
        switch (mode) {
          case REST -> Stream.of(REST_ROUTES);
          case OPEN -> Stream.of(REST_ROUTES, OPEN_ROUTES, SHARED_ROUTES);
          case MQTT, DEVICE -> Stream.of(ACCOUNT_ROUTES);
        };
    return Stream.concat(Stream.of(ROUTES), ofMode)
        .flatMap(List::stream)
        .map(CamelSettings::file)
        .toList();
  }

  /** What every Camel context needs. */
  static void configure(CamelContext camel, Settings settings) {
    PropertiesComponent properties = camel.getPropertiesComponent();
    placeholders(settings).forEach(properties::addInitialProperty);
    camel.getRegistry().bind("cloudUris", new CloudUris());
    camel.addComponent(CLOUD, cloud(camel, settings.http()));
  }

  private static Map<String, String> placeholders(Settings settings) {
    DeviceSettings devices = settings.devices();
    HttpSettings http = settings.http();
    MqttSettings mqtt = settings.mqtt();
    Map<String, String> values = new LinkedHashMap<>();
    values.put("ecoflow.mode", settings.mode().label());
    // Asked for every message: a constant costs less than a comparison of modes.
    values.put("ecoflow.requests", Boolean.toString(settings.mode() == Settings.Mode.DEVICE));
    values.put("ecoflow.open", Boolean.toString(settings.mode() == Settings.Mode.OPEN));
    values.put("ecoflow.discover", Boolean.toString(devices.areAllWanted()));
    values.put("ecoflow.metrics.prefix", settings.page().prefix());
    values.put("ecoflow.collecting.interval", millis(devices.collectingInterval()));
    values.put("ecoflow.http.retries", Integer.toString(http.retries()));
    values.put("ecoflow.http.backoff", millis(http.backoff()));
    values.put("ecoflow.retry.timeout", millis(http.pause()));
    values.put("ecoflow.idle.check.interval", millis(mqtt.idleCheckInterval()));
    values.put("ecoflow.quota.request.interval", millis(mqtt.requestInterval()));
    return values;
  }

  private static String millis(Duration duration) {
    return Long.toString(duration.toMillis());
  }

  /**
   * The component of EcoFlow's calls: it speaks HTTPS, as Camel's own, but its CA and its bounds
   * are not those of other calls that routes make.
   */
  private static HttpComponent cloud(CamelContext camel, HttpSettings http) {
    long timeout = http.timeout().toMillis();
    HttpComponent component = new CloudComponent();
    component.setConnectTimeout(timeout);
    component.setConnectionRequestTimeout(timeout);
    component.setResponseTimeout(timeout);
    component.setSoTimeout(timeout);
    // HttpClient would retry 503 on its own, with the nonce of the attempt before.
    component.setAutomaticRetriesDisabled(true);
    component.setCopyHeaders(false);
    component.setHttpClientConfigurer(
        camel.getRegistry().lookupByNameAndType("httpBounds", HttpClientConfigurer.class));
    component.setSslContextParameters(
        camel.getRegistry().lookupByNameAndType("cloudTls", SSLContextParameters.class));
    return component;
  }

  /**
   * Bounds the headers of an answer, also of a proxy: the client has no limit of its own, and keeps
   * all of them in memory.
   */
  private static final class CloudComponent extends HttpComponent {

    private static final int MAX_HEADERS = 200;
    private static final int MAX_LINE = 16 * 1024;

    @Override
    @SuppressWarnings("deprecation") // Camel has no other place for the limits.
    protected HttpClientConnectionManager createConnectionManager(
        Registry<ConnectionSocketFactory> schemes,
        int most,
        int mostPerRoute,
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

  /** Makes URIs of an endpoint's parameters for that component, as for Camel's own. */
  private static final class CloudUris extends HttpEndpointUriFactory {

    @Override
    public boolean isEnabled(String scheme) {
      return CLOUD.equals(scheme);
    }
  }
}
