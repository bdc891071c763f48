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
 * seda:changes-NAME} or {@code seda:pictures-NAME}. Each sink has its own queue, and messages for a
 * full queue are dropped, so that an unresponsive sink affects neither gauges nor other sinks.
 */
public final class Sinks {

  private static final Logger LOG = LoggerFactory.getLogger(Sinks.class);

  private static final String DEVICE_NAME = "EcoflowDeviceName";
  private static final String PRODUCT_NAME = "EcoflowProductName";
  private static final String UPDATED = "EcoflowUpdated";
  private static final OptionalLong NEVER = OptionalLong.empty();

  private static final String SEDA = "seda://";
  private static final String CHANGES = "changes-";
  private static final String SNAPSHOTS = "pictures-";

  /** The default size of a queue; the option {@code size} of a route overrides it. */
  private static final int QUEUE_SIZE = 100;

  /** If a message waits longer than this, the server of the sink is slow or unavailable. */
  private static final long DELAY_MILLIS = 1000;

  private record Sink(String name, SedaEndpoint endpoint) {}

  /**
   * @param routes the number of routes when the sinks were determined
   */
  private record Known(int routes, List<Sink> changes, List<Sink> snapshots) {}

  private final CamelContext camel;
  private final Devices devices;
  private final Quotas quotas;
  private final BiConsumer<String, Boolean> count;

  /** Messages dropped since the queue became full, by sink. */
  private final Map<String, Long> dropped = new ConcurrentHashMap<>();

  private volatile Known known;

  /**
   * @param count receives the name of the sink for each message, and whether its queue accepted the
   *     message
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

  /**
   * For routes: the devices whose snapshots are sent to sinks; empty without such a sink. During a
   * replay, the values of a device are outdated.
   */
  public List<String> devices() {
    return snapshots().isEmpty()
        ? List.of()
        : devices.serials().stream().filter(serial -> !quotas.isReplaying(serial)).toList();
  }

  /** Called while the device is locked, so that changes are sent in their order. */
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
    send(snapshots(), message.getHeaders(), message.getBody());
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
      // Does not use a producer, which could block on a full queue, depending on the options of the
      // route.
      boolean accepted = sink.endpoint().getQueue().offer(copy);
      count.accept(sink.name(), accepted);
      logDrops(sink, accepted);
    }
  }

  private void logDrops(Sink sink, boolean accepted) {
    if (!accepted) {
      if (dropped.merge(sink.name(), 1L, Long::sum) == 1) {
        LOG.warn(
            "Route {} is too slow: {} messages are waiting, further messages are dropped; gauges"
                + " are not affected",
            route(sink),
            sink.endpoint().getQueue().size());
      }
    } else if (!dropped.isEmpty() && sink.endpoint().getQueue().size() <= 1) {
      Long lost = dropped.remove(sink.name());
      if (lost != null) {
        LOG.info("Route {} accepts messages again; {} messages were dropped", route(sink), lost);
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

  /** The sinks that drop messages, for the health pages. */
  public Optional<String> problem() {
    return dropped.isEmpty()
        ? Optional.empty()
        : Optional.of(
            dropped.entrySet().stream()
                .map(
                    sink ->
                        sink.getKey()
                            + " is too slow, "
                            + sink.getValue()
                            + " messages"
                            + " dropped")
                .sorted()
                .collect(Collectors.joining(", ", "sink ", "")));
  }

  private List<Sink> changes() {
    return known().changes();
  }

  private List<Sink> snapshots() {
    return known().snapshots();
  }

  /** The current sinks. A reload can add and remove routes. */
  private Known known() {
    Known current = known;
    int routes = camel.getRoutesSize();
    if (current == null || current.routes() != routes) {
      current = new Known(routes, find(CHANGES), find(SNAPSHOTS));
      known = current;
    }
    return current;
  }

  private List<Sink> find(String prefix) {
    Map<String, Sink> found = new LinkedHashMap<>();
    for (Route route : camel.getRoutes()) {
      // The URI is compared first, so that no class of the component is loaded if there are no
      // sinks.
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
   * Drops the messages of slow sinks. Otherwise each of them would be processed during shutdown
   * and, if the server is unavailable, fail with a log line.
   */
  private void dropDelayed() {
    for (Sink sink : Stream.concat(changes().stream(), snapshots().stream()).toList()) {
      BlockingQueue<Exchange> queue = sink.endpoint().getQueue();
      Exchange oldest = queue.peek();
      if (oldest != null
          && (queue.remainingCapacity() == 0 || oldest.getClock().elapsed() > DELAY_MILLIS)) {
        LOG.warn(
            "Route {} is too slow: {} waiting messages are dropped because the exporter stops",
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
        // A message can contain all values of a device, so Camel's default of 1000 could fill the
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
