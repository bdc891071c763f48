package ecoflow.account;

import ecoflow.config.Settings;
import ecoflow.decode.Frames;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The schedule of the requests for all values of a device, bean {@code quotaRequests}. A timer
 * sends a request to every device once per interval. Methods named is... and needs... have no side
 * effects.
 */
final class QuotaRequests {

  private static final Logger LOG = LoggerFactory.getLogger(QuotaRequests.class);

  private static final class State {
    long askedAt;
    boolean asked;
    long fullAt;
    boolean full;
    boolean waiting;
    boolean silent;
  }

  private final Devices devices;
  private final BooleanSupplier connected;
  private final Duration interval;
  private final LongSupplier nanoClock;
  private final Lines lines;
  private final Map<String, State> states = new ConcurrentHashMap<>();

  QuotaRequests(
      Settings settings, Devices devices, BooleanSupplier connected, LongSupplier nanoClock) {
    this.devices = devices;
    this.connected = connected;
    this.interval = settings.mqtt().requestInterval();
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
  }

  private State state(String serial) {
    return states.computeIfAbsent(serial, unused -> new State());
  }

  /** For routes: the serial numbers of the devices for requests; empty without a connection. */
  public List<String> devices() {
    return connected.getAsBoolean() ? devices.serialsOfCloud() : List.of();
  }

  /** Route step: makes requests to all devices due, after a new connection. */
  public void askAll() {
    for (State state : states.values()) {
      synchronized (state) {
        state.asked = false;
        state.full = false;
        // The reply can have been lost with the previous connection.
        state.waiting = false;
      }
    }
  }

  /** Whether the last request is older than half an interval. */
  public boolean isDue(@Header(Quotas.DEVICE) String serial) {
    State state = state(serial);
    synchronized (state) {
      return !state.asked || sinceAsked(state, nanoClock.getAsLong()) > 0;
    }
  }

  private long sinceAsked(State state, long now) {
    return now - state.askedAt - interval.toNanos() / 2;
  }

  /**
   * Whether the device has pushed all its values within the interval. A message within half an
   * interval after a request counts as its reply. Pushes of changes do not count, because they
   * contain only a few values.
   */
  public boolean isSatisfied(@Header(Quotas.DEVICE) String serial) {
    State state = state(serial);
    synchronized (state) {
      return state.full
          && nanoClock.getAsLong() - state.fullAt < interval.toNanos()
          && (!state.asked || sinceAsked(state, state.fullAt) > 0);
    }
  }

  /** Route step: records a request to the device in the header. */
  public void asked(@Header(Quotas.DEVICE) String serial) {
    State state = state(serial);
    synchronized (state) {
      state.silent |= state.waiting;
      state.waiting = true;
      state.asked = true;
      state.askedAt = nanoClock.getAsLong();
      state.full = false;
    }
  }

  /** For routes: the id of a request, which is the time in milliseconds. */
  public String id() {
    return Long.toString(System.currentTimeMillis());
  }

  /**
   * Whether the device in the header has not replied to a JSON request: some models reply to
   * requests in binary frames only.
   */
  public boolean needsFrame(@Header(Quotas.DEVICE) String serial) {
    State state = state(serial);
    synchronized (state) {
      return state.silent;
    }
  }

  /** For routes: the request for all values as a frame, which has no command. */
  public byte[] frame() {
    return Frames.getAll((int) (System.currentTimeMillis() & Integer.MAX_VALUE));
  }

  /** Route step: records replies, and messages with all values of a device. */
  public void note(Exchange exchange) {
    Message message = exchange.getMessage();
    State state = states.get(message.getHeader(Quotas.DEVICE, "", String.class));
    if (state == null) {
      return;
    }
    synchronized (state) {
      if (Quotas.REPLY.equals(message.getHeader(Quotas.SOURCE))) {
        state.waiting = false;
      }
      if (Boolean.TRUE.equals(message.getHeader(Quotas.FULL))) {
        state.full = true;
        state.fullAt = nanoClock.getAsLong();
      }
    }
  }

  /** Route step: logs a request that could not be sent. */
  public void failed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    if (failure instanceof MqttException mqtt
        && mqtt.getReasonCode() == MqttException.REASON_CODE_CLIENT_CLOSED) {
      // The exporter closed the connection itself: it stops, or it reconnects with a log line.
      return;
    }
    lines.warn(
        "request",
        "Request to device "
            + exchange.getMessage().getHeader(Quotas.DEVICE)
            + " failed: "
            + Lines.describe(failure)
            + "; next attempt in "
            + Lines.seconds(interval)
            + " s");
  }
}
