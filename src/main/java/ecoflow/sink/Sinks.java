package ecoflow.sink;

import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Component;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.apache.camel.Route;
import org.apache.camel.component.seda.SedaComponent;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.util.StringHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends values to sinks, bean {@code sinks}. Sinks are routes that start with {@code
 * seda:changes-NAME} or {@code seda:pictures-NAME}. Each sink has its own queue, and messages to a
 * full queue are dropped, so that a hanging sink affects neither gauges nor other sinks.
 */
public final class Sinks {

  private static final Logger LOG = LoggerFactory.getLogger(Sinks.class);

  private static final String DEVICE_NAME = "EcoflowDeviceName";
  private static final String PRODUCT_NAME = "EcoflowProductName";
  private static final String UPDATED = "EcoflowUpdated";
  private static final OptionalLong NEVER = OptionalLong.empty();

  private static final String SEDA = "seda://";
  private static final String CHANGES = "changes-";
  private static final String PICTURES = "pictures-";

  /** The size of the queue, unless the route sets the option {@code size}. */
  private static final int QUEUE_SIZE = 100;

  /** A message that waits longer shows that the server of the sink is slow or unavailable. */
  private static final long DELAY_MILLIS = 1000;

  private record Sink(String name, SedaEndpoint endpoint) {}

  /**
   * @param routes the number of routes at the time of the search
   */
  private record Known(int routes, List<Sink> changes, List<Sink> pictures) {}

  private final CamelContext camel;
  private final Devices devices;
  private final Quotas quotas;
  private final BiConsumer<String, Boolean> count;

  /** Messages dropped since the queue became full, by sink. */
  private final Map<String, Long> dropped = new ConcurrentHashMap<>();

  private volatile Known known;

  /**
   * @param count called for each message with the name of the sink and whether the queue had space
   */
  public Sinks(
      CamelContext camel, Devices devices, Quotas quotas, BiConsumer<String, Boolean> count) {
    this.camel = camel;
    this.devices = devices;
    this.quotas = quotas;
    this.count = count;
    camel.addLifecycleStrategy(new Watch());
    quotas.onChange(this::sendChanges);
  }

  /** For routes: the devices whose snapshots are sent to sinks; empty without such a sink. */
  public List<String> devices() {
    return pictures().isEmpty() ? List.of() : devices.serials();
  }

  /** Called with the device locked, so that an older value does not overtake a newer one. */
  private void sendChanges(String serial) {
    List<Sink> sinks = changes();
    if (!sinks.isEmpty()) {
      Map<String, Double> values = quotas.changes(serial);
      if (!values.isEmpty()) {
        send(sinks, headers(serial), values);
      }
    }
  }

  /** Route step: sends the snapshot in the message to all sinks for snapshots. */
  public void sendSnapshot(Exchange exchange) {
    Message message = exchange.getMessage();
    send(pictures(), message.getHeaders(), message.getBody());
  }

  private Map<String, Object> headers(String serial) {
    Map<String, Object> headers = new HashMap<>();
    headers.put(Quotas.DEVICE, serial);
    headers.put(DEVICE_NAME, deviceName(serial));
    headers.put(PRODUCT_NAME, productName(serial));
    headers.put(Quotas.ONLINE, isOnline(serial));
    headers.put(UPDATED, updated(serial));
    return headers;
  }

  /** For routes: the name of the device in the header. */
  public String deviceName(@Header(Quotas.DEVICE) String serial) {
    return devices.labels(serial).deviceName();
  }

  /** For routes: the model of the device in the header. */
  public String productName(@Header(Quotas.DEVICE) String serial) {
    return devices.labels(serial).productName();
  }

  /** For routes: whether the device in the header has gauges. */
  public boolean isOnline(@Header(Quotas.DEVICE) String serial) {
    return devices.isShown(serial);
  }

  /** For routes: the time of the last value of the device, in ms since 1970; 0 without a value. */
  public long updated(@Header(Quotas.DEVICE) String serial) {
    return devices.find(serial).map(DeviceView::lastUpdateMillis).orElse(NEVER).orElse(0);
  }

  private void send(List<Sink> sinks, Map<String, Object> headers, Object body) {
    for (Sink sink : sinks) {
      Exchange copy = sink.endpoint().createExchange();
      copy.getMessage().setHeaders(new HashMap<>(headers));
      copy.getMessage().setBody(body);
      // Not with a producer, which could block on a full queue because of the options of the route.
      boolean accepted = sink.endpoint().getQueue().offer(copy);
      count.accept(sink.name(), accepted);
      logDrops(sink, accepted);
    }
  }

  private void logDrops(Sink sink, boolean accepted) {
    if (!accepted) {
      if (dropped.merge(sink.name(), 1L, Long::sum) == 1) {
        LOG.warn(
            "Route {} does not keep up: {} messages are waiting, further messages are dropped; gauges are not affected",
            route(sink),
            sink.endpoint().getQueue().size());
      }
    } else if (!dropped.isEmpty() && sink.endpoint().getQueue().size() <= 1) {
      Long lost = dropped.remove(sink.name());
      if (lost != null) {
        LOG.info("Route {} keeps up again; {} messages were dropped", route(sink), lost);
      }
    }
  }

  private String route(Sink sink) {
    return camel.getRoutes().stream()
        .filter(route -> route.getEndpoint() == sink.endpoint())
        .map(Route::getId)
        .findFirst()
        .orElse(sink.name());
  }

  /** The sinks that do not keep up, for the health pages. */
  public Optional<String> problem() {
    return dropped.isEmpty()
        ? Optional.empty()
        : Optional.of(
            dropped.entrySet().stream()
                .map(sink -> sink.getKey() + " does not keep up, " + sink.getValue() + " dropped")
                .sorted()
                .collect(Collectors.joining(", ", "sink ", "")));
  }

  private List<Sink> changes() {
    return known().changes();
  }

  private List<Sink> pictures() {
    return known().pictures();
  }

  /** The current sinks. A reload can add and remove routes. */
  private Known known() {
    Known current = known;
    int routes = camel.getRoutesSize();
    if (current == null || current.routes() != routes) {
      current = new Known(routes, find(CHANGES), find(PICTURES));
      known = current;
    }
    return current;
  }

  private List<Sink> find(String prefix) {
    Map<String, Sink> found = new LinkedHashMap<>();
    for (Route route : camel.getRoutes()) {
      // Compare the URI first, to load no class of the component if there are no sinks.
      String name = StringHelper.before(StringHelper.after(uri(route), SEDA, "") + "?", "?");
      if (name.startsWith(prefix)) {
        found.putIfAbsent(name, new Sink(name, (SedaEndpoint) route.getEndpoint()));
      }
    }
    return List.copyOf(found.values());
  }

  private static String uri(Route route) {
    return route.getEndpoint().getEndpointUri();
  }

  /**
   * Drops the messages of sinks that do not keep up. Otherwise each of them would be processed
   * during shutdown and, if the server is unavailable, fail with a log line.
   */
  private void dropDelayed() {
    for (Sink sink : Stream.concat(changes().stream(), pictures().stream()).toList()) {
      BlockingQueue<Exchange> queue = sink.endpoint().getQueue();
      Exchange oldest = queue.peek();
      if (oldest != null
          && (queue.remainingCapacity() == 0 || oldest.getClock().elapsed() > DELAY_MILLIS)) {
        LOG.warn(
            "Route {} does not keep up: {} waiting messages are lost because the exporter stops",
            route(sink),
            queue.size());
        queue.clear();
      }
    }
  }

  private final class Watch extends LifecycleStrategySupport {

    @Override
    public void onContextStopping(CamelContext context) {
      dropDelayed();
    }

    @Override
    public void onComponentAdd(String name, Component component) {
      if (name.equals("seda")) {
        // A message can contain all values of a device: Camel's default of 1000 could fill the
        // heap.
        ((SedaComponent) component).setQueueSize(QUEUE_SIZE);
      }
    }

    @Override
    public void onRoutesRemove(Collection<Route> routes) {
      known = null;
    }
  }
}
