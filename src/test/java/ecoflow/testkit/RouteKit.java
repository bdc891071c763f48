package ecoflow.testkit;

import ecoflow.Beans;
import ecoflow.account.Account;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;

/**
 * Single route files with the real beans: {@code RouteKit.load("quotas")} for packaged ones, {@code
 * file} for an integrator's own files. Messages that the files send to an endpoint named by {@code
 * with} are stored; changes of gauges are visible on the page.
 */
public final class RouteKit implements AutoCloseable {

  private static final String DEVICES = "ECOFLOW_DEVICE_SN";

  private final CamelContext camel = new DefaultCamelContext();
  private final Map<String, String> variables = new HashMap<>();
  private final List<String> packaged;
  private final List<Path> own = new ArrayList<>();
  private final Map<String, List<Object>> bodies = new HashMap<>();
  private final Map<String, Processor> sinks = new HashMap<>();
  private LongSupplier nanoClock = System::nanoTime;
  private Beans beans;
  private ProducerTemplate template;

  private RouteKit(List<String> packaged) {
    this.packaged = packaged;
    variable("ECOFLOW_ACCOUNT_USER", "owner@example.org");
    variable("ECOFLOW_ACCOUNT_PASSWORD", "secret");
    variable(DEVICES, "all");
  }

  /** Loads packaged route files by name, without their suffix. */
  public static RouteKit load(String... files) {
    return new RouteKit(List.of(files));
  }

  /** Adds a route file of the integrator. */
  public RouteKit file(Path file) {
    own.add(file);
    return this;
  }

  /** Adds a setting; by default the mode is MQTT, with an app account. */
  public RouteKit variable(String name, String value) {
    variables.put(name, value);
    return this;
  }

  /** Adds a device that the exporter serves; without one, routes can run but no gauge is shown. */
  public RouteKit device(String serial) {
    String before = variables.get(DEVICES);
    return variable(DEVICES, before.equals("all") ? serial : before + "," + serial);
  }

  /** Uses developer keys instead of an app account. */
  public RouteKit rest() {
    variables.remove("ECOFLOW_ACCOUNT_USER");
    variables.remove("ECOFLOW_ACCOUNT_PASSWORD");
    return variable("ECOFLOW_ACCESS_KEY", "key").variable("ECOFLOW_SECRET_KEY", "secret");
  }

  /**
   * Replaces the system clock, so that a test can let hours pass at once.
   *
   * @param nanos monotonic, in nanoseconds; read by several threads
   */
  public RouteKit clock(LongSupplier nanos) {
    nanoClock = nanos;
    return this;
  }

  /** Stores the bodies of messages to an endpoint that no loaded file consumes. */
  public RouteKit with(String endpoint) {
    return with(endpoint, exchange -> {});
  }

  /** Like {@link #with(String)}, and processes each of them. */
  public RouteKit with(String endpoint, Processor then) {
    List<Object> kept = new CopyOnWriteArrayList<>();
    bodies.put(endpoint, kept);
    sinks.put(
        endpoint,
        exchange -> {
          kept.add(body(exchange));
          then.process(exchange);
        });
    return this;
  }

  private static Object body(Exchange exchange) {
    Object body = exchange.getMessage().getBody();
    return body == null ? "" : body;
  }

  public RouteKit start() {
    try {
      beans = new Beans(Settings.from(variables), nanoClock);
      beans.configure(camel);
      // All in one call and first: the configuration of one file applies to the routes of all.
      PluginHelper.getRoutesLoader(camel).loadRoutes(resources());
      camel.addRoutes(
          new RouteBuilder() {
            @Override
            public void configure() {
              errorHandler(noErrorHandler());
              sinks.forEach((endpoint, sink) -> from(endpoint).process(sink));
            }
          });
      camel.start();
      template = camel.createProducerTemplate();
      return this;
    } catch (ConfigException e) {
      throw new IllegalArgumentException(e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private List<Resource> resources() {
    Stream<String> inJar =
        packaged.stream().map(file -> "classpath:routes/" + file + ".camel.yaml");
    return Stream.concat(inJar, own.stream().map(file -> "file:" + file))
        .map(location -> PluginHelper.getResourceLoader(camel).resolveResource(location))
        .toList();
  }

  public CamelContext camel() {
    return camel;
  }

  /** Sends values of a device to direct:quotas, like a push. */
  public void send(String serial, Map<String, ?> values) {
    send("direct:quotas", values, Map.of("EcoflowDevice", serial, "EcoflowSource", "push"));
  }

  /**
   * Sends a message with the variable {@code account} to an endpoint; a map is copied, because
   * routes may change it.
   */
  public void send(String endpoint, Object body, Map<String, Object> headers) {
    Exchange exchange =
        template.send(
            endpoint,
            created -> {
              created.setVariable(Account.VARIABLE, beans.accounts().all().get(0));
              created
                  .getMessage()
                  .setBody(body instanceof Map<?, ?> map ? new LinkedHashMap<>(map) : body);
              created.getMessage().setHeaders(new HashMap<>(headers));
            });
    if (exchange.getException() != null) {
      throw CamelExecutionException.wrapCamelExecutionException(exchange, exchange.getException());
    }
  }

  /** The content of /metrics. */
  public Page page() {
    return new Page(
        () -> template.requestBody("bean:metricsPage?method=answer", null, String.class),
        () -> "mqtt");
  }

  /** The bodies of messages to an endpoint so far; an empty text for none. */
  public List<Object> bodies(String endpoint) {
    return new ArrayList<>(bodies.get(endpoint));
  }

  /** The value of a counter, by the name and the tags that routes use. */
  public double counter(String name, String... tags) {
    return camel
        .getRegistry()
        .lookupByNameAndType("metricsRegistry", MeterRegistry.class)
        .counter(name, tags)
        .count();
  }

  @Override
  public void close() {
    beans.close();
    camel.stop();
  }
}
