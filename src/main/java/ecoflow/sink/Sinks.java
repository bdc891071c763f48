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
 * The routes that take values elsewhere, bean {@code sinks}: those that start with {@code
 * seda:changes-NAME} or {@code seda:pictures-NAME}. Each has a queue of its own, and what finds it
 * full is dropped: a sink that hangs costs neither gauges nor other sinks anything.
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

  /** How many messages may wait where the route does not say it ({@code size}). */
  private static final int QUEUE_SIZE = 100;

  /** A message that has waited for longer waits for a server that is away, or slow. */
  private static final long LATE_MILLIS = 1000;

  /** A route that takes values. */
  private record Sink(String name, SedaEndpoint endpoint) {}

  /**
   * @param routes how many there were when these were found
   */
  private record Known(int routes, List<Sink> changes, List<Sink> pictures) {}

  private final CamelContext camel;
  private final Devices devices;
  private final Quotas quotas;
  private final BiConsumer<String, Boolean> count;

  /** Messages that were dropped since the queue was last found full, by sink. */
  private final Map<String, Long> dropped = new ConcurrentHashMap<>();

  private volatile Known known;

  /**
   * @param count takes the name of a sink for each message, and whether it was taken
   */
  public Sinks(
      CamelContext camel, Devices devices, Quotas quotas, BiConsumer<String, Boolean> count) {
    this.camel = camel;
    this.devices = devices;
    this.quotas = quotas;
    this.count = count;
    camel.addLifecycleStrategy(new Watch());
    quotas.onChange(this::handChanges);
  }

  /** For routes: the devices whose full pictures a route takes. */
  public List<String> devices() {
    return pictures().isEmpty() ? List.of() : devices.serials();
  }

  /** Within the lock of the device: an older value must not overtake a newer one. */
  private void handChanges(String serial) {
    List<Sink> takers = changes();
    if (!takers.isEmpty()) {
      Map<String, Double> values = quotas.changes(serial);
      if (!values.isEmpty()) {
        hand(takers, headers(serial), values);
      }
    }
  }

  /** Route step: the message goes to each route that takes full pictures. */
  public void handPicture(Exchange exchange) {
    Message message = exchange.getMessage();
    hand(pictures(), message.getHeaders(), message.getBody());
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

  /** For routes: the name of the device of the header. */
  public String deviceName(@Header(Quotas.DEVICE) String serial) {
    return devices.labels(serial).deviceName();
  }

  /** For routes: the model of the device of the header. */
  public String productName(@Header(Quotas.DEVICE) String serial) {
    return devices.labels(serial).productName();
  }

  /** For routes: whether the device of the header sends values; without them it has no gauges. */
  public boolean isOnline(@Header(Quotas.DEVICE) String serial) {
    return devices.isShown(serial);
  }

  /** For routes: when the device of the header last sent a value, in ms since 1970; 0 for never. */
  public long updated(@Header(Quotas.DEVICE) String serial) {
    return devices.find(serial).map(DeviceView::lastUpdateMillis).orElse(NEVER).orElse(0);
  }

  private void hand(List<Sink> sinks, Map<String, Object> headers, Object body) {
    for (Sink sink : sinks) {
      Exchange copy = sink.endpoint().createExchange();
      copy.getMessage().setHeaders(new HashMap<>(headers));
      copy.getMessage().setBody(body);
      // Not by a producer: its options, such as to wait for a free place, are the route's to set.
      boolean taken = sink.endpoint().getQueue().offer(copy);
      count.accept(sink.name(), taken);
      note(sink, taken);
    }
  }

  private void note(Sink sink, boolean taken) {
    if (!taken) {
      if (dropped.merge(sink.name(), 1L, Long::sum) == 1) {
        LOG.warn(
            "Route {} does not keep up: {} messages wait for it, and what comes now is dropped; gauges lose nothing",
            route(sink),
            sink.endpoint().getQueue().size());
      }
    } else if (!dropped.isEmpty() && sink.endpoint().getQueue().size() <= 1) {
      Long lost = dropped.remove(sink.name());
      if (lost != null) {
        LOG.info("Route {} keeps up again; {} messages to it were dropped", route(sink), lost);
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

  /** Routes come at the start, and come and go with a reload. */
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
      // Asked by name first: without sinks none of the component's classes is loaded.
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
   * Messages that wait for a route that does not keep up: at the end each of them would be tried
   * once, and where a server is away fail with a line of its own.
   */
  private void dropWhatIsLate() {
    for (Sink sink : Stream.concat(changes().stream(), pictures().stream()).toList()) {
      BlockingQueue<Exchange> queue = sink.endpoint().getQueue();
      Exchange oldest = queue.peek();
      if (oldest != null
          && (queue.remainingCapacity() == 0 || oldest.getClock().elapsed() > LATE_MILLIS)) {
        LOG.warn(
            "Route {} does not keep up: {} messages that wait for it are lost with the end of the exporter",
            route(sink),
            queue.size());
        queue.clear();
      }
    }
  }

  private final class Watch extends LifecycleStrategySupport {

    @Override
    public void onContextStopping(CamelContext context) {
      dropWhatIsLate();
    }

    @Override
    public void onComponentAdd(String name, Component component) {
      if (name.equals("seda")) {
        // A message can hold all values of a device: the thousand of Camel would be the heap.
        ((SedaComponent) component).setQueueSize(QUEUE_SIZE);
      }
    }

    @Override
    public void onRoutesRemove(Collection<Route> routes) {
      known = null;
    }
  }
}
