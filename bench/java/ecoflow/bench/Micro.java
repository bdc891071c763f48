package ecoflow.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MICROSECONDS;

import com.google.protobuf.InvalidProtocolBufferException;
import ecoflow.decode.Decoded;
import ecoflow.decode.Frames;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import ecoflow.testkit.RouteKit;
import java.io.IOException;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Producer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Measures the stages of a message's path and of a scrape separately, through the entry points of
 * the routes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class Micro {

  private static final byte[] OFFLINE = "{\"params\":{\"status\":0}}".getBytes(UTF_8);

  /** The routes from a payload to its gauges, with the beans of mode MQTT. */
  private static final class Path implements AutoCloseable {

    private final RouteKit routes;
    private final Producer payloads;
    private final Producer pages;

    Path(String serials) throws Exception {
      routes =
          RouteKit.load("payload", "quotas", "unexpected-errors")
              .variable("ECOFLOW_DEVICE_SN", serials)
              .start();
      payloads = producer("direct:payload");
      pages = producer("bean:metricsPage?method=answer");
    }

    private Producer producer(String uri) throws Exception {
      Producer producer = routes.camel().getEndpoint(uri).createProducer();
      producer.start();
      return producer;
    }

    Object push(String serial, byte[] payload) throws Exception {
      return send(serial, "push", payload);
    }

    /** Removes the gauges of the device. */
    Object offline(String serial) throws Exception {
      return send(serial, "status", OFFLINE);
    }

    private Object send(String serial, String source, byte[] payload) throws Exception {
      Exchange exchange = exchange(payloads.getEndpoint());
      exchange.getMessage().setHeader("EcoflowDevice", serial);
      exchange.getMessage().setHeader("EcoflowSource", source);
      exchange.getMessage().setBody(payload);
      payloads.process(exchange);
      return exchange.getMessage().getBody();
    }

    byte[] page() throws Exception {
      Exchange exchange = exchange(pages.getEndpoint());
      pages.process(exchange);
      return exchange.getMessage().getBody(byte[].class);
    }

    private static Exchange exchange(Endpoint endpoint) {
      return endpoint.createExchange();
    }

    @Override
    public void close() {
      routes.close();
    }
  }

  private static Push push(String kind) throws IOException {
    int size = Integer.parseInt(kind.replaceAll("[a-z]", ""));
    return kind.startsWith("json") ? Push.json(size) : Push.frame(size);
  }

  private static String serials(int count) {
    return IntStream.range(0, count).mapToObj(Micro::serial).collect(Collectors.joining(","));
  }

  private static String serial(int device) {
    return "R331ZMICRO%06d".formatted(device);
  }

  /** Devices with known series, which send in turn. */
  @State(Scope.Benchmark)
  public static class Known {

    @Param({"json30", "json170", "frame40", "frame250"})
    public String kind;

    @Param("1")
    public int devices;

    private Path path;
    private Push push;
    private int number;

    @Setup
    public void start() throws Exception {
      path = new Path(serials(devices));
      push = push(kind);
    }

    Object next() throws Exception {
      number = number % 1_000_000 + 1;
      return path.push(serial(number % devices), push.bytes(number));
    }

    /** Fails if values were not stored, because the benchmark would then measure something else. */
    @TearDown
    public void stop() throws Exception {
      String page = new String(path.page(), UTF_8);
      path.close();
      if (devices == 1
          && !new Scraper.Page(200, page.length(), 0, page, 0)
              .value(push.series())
              .equals(OptionalDouble.of(push.shown(number)))) {
        throw new IllegalStateException("not stored: " + number);
      }
    }
  }

  @Benchmark
  public Object payloadToStore(Known state) throws Exception {
    return state.next();
  }

  /** A device that has not sent anything yet, so that each series needs its name. */
  @State(Scope.Benchmark)
  public static class Unknown {

    private static final int DEVICES = 1_000;

    private final Push push = Push.json(170);
    private Path path;
    private int next;

    @Setup
    public void start() throws Exception {
      path = new Path(serials(DEVICES));
    }

    @TearDown
    public void stop() {
      path.close();
    }
  }

  /** Includes a preceding message that reports the device as offline. */
  @Benchmark
  public Object firstMessageOf170Names(Unknown state) throws Exception {
    state.next = (state.next + 1) % Unknown.DEVICES;
    String serial = serial(state.next);
    state.path.offline(serial);
    return state.path.push(serial, state.push.bytes(1));
  }

  /** One device, or several devices with 300 series each. */
  @State(Scope.Benchmark)
  public static class Shown {

    @Param({"353", "30000"})
    public int series;

    private Path path;

    @Setup
    public void start() throws Exception {
      int devices = Math.max(1, series / 300);
      path = new Path(serials(devices));
      Push push = Push.json(series / devices);
      for (int device = 0; device < devices; device++) {
        path.push(serial(device), push.bytes(device));
      }
    }

    @TearDown
    public void stop() {
      path.close();
    }
  }

  @Benchmark
  public byte[] page(Shown state) throws Exception {
    return state.path.page();
  }

  /** A header with a plain message. */
  @State(Scope.Benchmark)
  public static class Plain {

    @Param({"40", "250"})
    public int fields;

    private final Frames frames = Frames.load();
    private Header header;

    @Setup
    public void read() throws IOException {
      Frame frame = Frame.parseFrom(Push.frame(fields).bytes(1));
      try {
        header = Frames.unmask(Header.parseFrom(frame.getHeaders(0)));
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Benchmark
  public Decoded readMessage(Plain state) {
    return state.frames.read(state.header, serial(0));
  }
}
