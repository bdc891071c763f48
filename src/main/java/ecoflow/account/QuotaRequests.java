package ecoflow.account;

import ecoflow.decode.Frames;
import ecoflow.device.Device;
import ecoflow.device.Devices;
import ecoflow.metrics.CalmLog;
import ecoflow.quota.QuotaHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.paho.PahoConstants;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** When each device is asked for all its values. */
public final class QuotaRequests {

  private static final Logger LOG = LoggerFactory.getLogger(QuotaRequests.class);

  private static final class Turn {
    long askedAt;
    long dueAt;
    long fullAt;
    boolean full;
    boolean waiting;
    boolean silent;

    Turn(long now) {
      askedAt = now;
      dueAt = now;
    }
  }

  private final Devices devices;
  private final MqttLink link;
  private final Duration interval;
  private final Runnable countSkipped;
  private final LongSupplier nanoClock;
  private final CalmLog calmLog;
  private final Map<String, Turn> turns = new ConcurrentHashMap<>();

  public QuotaRequests(
      Devices devices,
      MqttLink link,
      Duration interval,
      Runnable countSkipped,
      LongSupplier nanoClock) {
    this.devices = devices;
    this.link = link;
    this.interval = interval;
    this.countSkipped = countSkipped;
    this.nanoClock = nanoClock;
    this.calmLog = new CalmLog(LOG, nanoClock);
    link.beforeUse(this::askAll);
  }

  /** After a connection: every device is asked at once. */
  private void askAll() {
    long now = nanoClock.getAsLong();
    for (Turn turn : turns.values()) {
      synchronized (turn) {
        turn.dueAt = now;
        turn.full = false;
      }
    }
  }

  /**
   * The serial numbers to ask now. A device that sent all its values unasked within the interval is
   * skipped; changes that it pushes do not count, as they hold only a few values.
   */
  public List<String> due() {
    if (!link.isConnected()) {
      return List.of();
    }
    List<String> serials = new ArrayList<>();
    for (Device device : devices.all()) {
      if (isDue(
          turns.computeIfAbsent(device.serial(), unused -> new Turn(nanoClock.getAsLong())))) {
        serials.add(device.serial());
      }
    }
    return serials;
  }

  private boolean isDue(Turn turn) {
    synchronized (turn) {
      long now = nanoClock.getAsLong();
      if (now - turn.dueAt < 0) {
        return false;
      }
      // The answer to the last request comes soon after it; a later one was not asked for here.
      long halfway = turn.askedAt + interval.toNanos() / 2;
      if (turn.full && turn.fullAt - halfway > 0) {
        turn.dueAt = turn.fullAt + interval.toNanos();
        turn.askedAt = turn.fullAt;
        turn.full = false;
        countSkipped.run();
        return false;
      }
      // An answer that got lost with a connection does not count.
      turn.silent |= turn.waiting && now - turn.askedAt >= interval.toNanos();
      turn.waiting = true;
      // Two routes look for devices that are due; only the first one to see this turn asks.
      turn.askedAt = now;
      turn.dueAt = now + interval.toNanos();
      turn.full = false;
      return true;
    }
  }

  /** Gives the request of the header's device its topic and its id, the time in milliseconds. */
  public void address(Exchange exchange) throws MqttException {
    Message message = exchange.getMessage();
    String serial = message.getHeader(QuotaHeaders.DEVICE, String.class);
    message.setHeader(QuotaHeaders.REQUEST_ID, Long.toString(System.currentTimeMillis()));
    message.setHeader(PahoConstants.CAMEL_PAHO_OVERRIDE_TOPIC, link.requestTopic(serial));
  }

  /**
   * Whether the device of the header left a JSON request unanswered: some answer only the request
   * that is a frame.
   */
  public boolean needsFrame(Exchange exchange) {
    Turn turn = turns.get(exchange.getMessage().getHeader(QuotaHeaders.DEVICE, String.class));
    if (turn == null) {
      return false;
    }
    synchronized (turn) {
      return turn.silent;
    }
  }

  /** The request for all values as a frame; it carries no command, so it changes nothing. */
  public byte[] frame() {
    return Frames.getAll((int) (System.currentTimeMillis() & Integer.MAX_VALUE));
  }

  /** Notes messages that hold all values of a device. */
  public void note(Exchange exchange) {
    Message message = exchange.getMessage();
    Turn turn = turns.get(message.getHeader(QuotaHeaders.DEVICE, "", String.class));
    if (turn == null) {
      return;
    }
    synchronized (turn) {
      if ("reply".equals(message.getHeader(QuotaHeaders.SOURCE))) {
        turn.waiting = false;
      }
      if (Boolean.TRUE.equals(message.getHeader(QuotaHeaders.FULL, Boolean.class))) {
        turn.full = true;
        turn.fullAt = nanoClock.getAsLong();
      }
    }
  }

  public void failed(Exchange exchange) {
    calmLog.warn(
        "request",
        "Could not ask device "
            + exchange.getMessage().getHeader(QuotaHeaders.DEVICE)
            + " for its values: "
            + Failures.describe(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class))
            + "; next attempt in "
            + Establishment.seconds(interval)
            + " s");
  }
}
