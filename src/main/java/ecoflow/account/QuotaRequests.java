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
 * The requests for all values of a device, bean {@code quotaRequests}: who is to be asked, and how.
 * A timer asks every device once per interval; methods named is... and needs... only ask.
 */
final class QuotaRequests {

  private static final Logger LOG = LoggerFactory.getLogger(QuotaRequests.class);

  private static final class Turn {
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
  private final Map<String, Turn> turns = new ConcurrentHashMap<>();

  QuotaRequests(
      Settings settings, Devices devices, BooleanSupplier connected, LongSupplier nanoClock) {
    this.devices = devices;
    this.connected = connected;
    this.interval = settings.mqtt().requestInterval();
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
  }

  private Turn turn(String serial) {
    return turns.computeIfAbsent(serial, unused -> new Turn());
  }

  /** For routes: the devices that can be asked, by serial number. */
  public List<String> devices() {
    return connected.getAsBoolean() ? devices.serialsOfCloud() : List.of();
  }

  /** Route step: after a new connection all devices are asked at once. */
  public void askAll() {
    for (Turn turn : turns.values()) {
      synchronized (turn) {
        turn.asked = false;
        turn.full = false;
        // An answer that got lost with a connection does not count.
        turn.waiting = false;
      }
    }
  }

  /** Whether the device was not asked in the first half of the interval that has begun. */
  public boolean isDue(@Header(Quotas.DEVICE) String serial) {
    Turn turn = turn(serial);
    synchronized (turn) {
      return !turn.asked || sinceAsked(turn, nanoClock.getAsLong()) > 0;
    }
  }

  private long sinceAsked(Turn turn, long now) {
    return now - turn.askedAt - interval.toNanos() / 2;
  }

  /**
   * Whether the device sent all its values unasked within the interval. The answer to the last
   * request comes soon after it; a later one was not asked for. Changes that the device pushes do
   * not count, as they hold only a few values.
   */
  public boolean isSatisfied(@Header(Quotas.DEVICE) String serial) {
    Turn turn = turn(serial);
    synchronized (turn) {
      return turn.full
          && nanoClock.getAsLong() - turn.fullAt < interval.toNanos()
          && (!turn.asked || sinceAsked(turn, turn.fullAt) > 0);
    }
  }

  /** Route step: the device of the header is being asked. */
  public void asked(@Header(Quotas.DEVICE) String serial) {
    Turn turn = turn(serial);
    synchronized (turn) {
      turn.silent |= turn.waiting;
      turn.waiting = true;
      turn.asked = true;
      turn.askedAt = nanoClock.getAsLong();
      turn.full = false;
    }
  }

  /** For routes: the id of a request, the time in milliseconds. */
  public String id() {
    return Long.toString(System.currentTimeMillis());
  }

  /**
   * Whether the device of the header left a JSON request unanswered: some answer only the request
   * that is a frame.
   */
  public boolean needsFrame(@Header(Quotas.DEVICE) String serial) {
    Turn turn = turn(serial);
    synchronized (turn) {
      return turn.silent;
    }
  }

  /** For routes: the request for all values as a frame; it carries no command. */
  public byte[] frame() {
    return Frames.getAll((int) (System.currentTimeMillis() & Integer.MAX_VALUE));
  }

  /** Route step: notes an answer, and messages that hold all values of a device. */
  public void note(Exchange exchange) {
    Message message = exchange.getMessage();
    Turn turn = turns.get(message.getHeader(Quotas.DEVICE, "", String.class));
    if (turn == null) {
      return;
    }
    synchronized (turn) {
      if (Quotas.REPLY.equals(message.getHeader(Quotas.SOURCE))) {
        turn.waiting = false;
      }
      if (Boolean.TRUE.equals(message.getHeader(Quotas.FULL))) {
        turn.full = true;
        turn.fullAt = nanoClock.getAsLong();
      }
    }
  }

  /** Route step: a request could not be sent. */
  public void failed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    if (failure instanceof MqttException mqtt
        && mqtt.getReasonCode() == MqttException.REASON_CODE_CLIENT_CLOSED) {
      // Its connection was ended on purpose: the exporter ends, or connects anew and says so.
      return;
    }
    lines.warn(
        "request",
        "Could not ask device "
            + exchange.getMessage().getHeader(Quotas.DEVICE)
            + " for its values: "
            + Lines.describe(failure)
            + "; next attempt in "
            + Lines.seconds(interval)
            + " s");
  }
}
