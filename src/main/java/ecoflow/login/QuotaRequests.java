package ecoflow.login;

import ecoflow.account.Account;
import ecoflow.account.PerAccount;
import ecoflow.decode.Frames;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.apache.camel.Variable;
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
    long requestedAt;
    boolean isRequested;
    long fullAt;
    boolean isFull;
    boolean isReplyPending;
    boolean hasMissedReply;
  }

  private final Devices devices;
  private final Predicate<Account> connected;
  private final LongSupplier nanoClock;
  private final Lines lines;
  private final Map<String, State> states = new ConcurrentHashMap<>();
  private final PerAccount<AtomicBoolean> failing =
      new PerAccount<>(account -> new AtomicBoolean());

  QuotaRequests(Devices devices, Predicate<Account> connected, LongSupplier nanoClock) {
    this.devices = devices;
    this.connected = connected;
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
  }

  private State state(String serial) {
    return states.computeIfAbsent(serial, unused -> new State());
  }

  /** For routes: the serial numbers of the devices to request; empty without a connection. */
  public List<String> devices(@Variable(Account.VARIABLE) Account account) {
    return connected.test(account) ? devices.serials(account) : List.of();
  }

  /**
   * Whether the last request of the account failed. Its next requests can take long, and must not
   * delay those of other accounts.
   */
  public boolean isFailing(@Variable(Account.VARIABLE) Account account) {
    return failing.of(account).get();
  }

  /** Route step: makes the requests of all devices of the account due, after a new connection. */
  public void markAllDue(@Variable(Account.VARIABLE) Account account) {
    for (String serial : devices.serials(account)) {
      State state = state(serial);
      synchronized (state) {
        state.isRequested = false;
        state.isFull = false;
        // A pending reply can have been lost with the previous connection.
        state.isReplyPending = false;
      }
    }
  }

  /** Forgets a device that is no longer served. */
  void remove(String serial) {
    states.remove(serial);
  }

  /** Whether the last request is older than half an interval. */
  public boolean isDue(
      @Header(Quotas.DEVICE) String serial, @Variable(Account.VARIABLE) Account account) {
    State state = state(serial);
    synchronized (state) {
      long now = nanoClock.getAsLong();
      return !state.isRequested || nanosAfterReplyTime(state, account, now) > 0;
    }
  }

  private static long nanosAfterReplyTime(State state, Account account, long now) {
    return now - state.requestedAt - interval(account).toNanos() / 2;
  }

  private static Duration interval(Account account) {
    return account.settings().mqtt().requestInterval();
  }

  /**
   * Whether the device has pushed all its values within the last interval. A message within half an
   * interval after a request counts as its reply. Messages with only some values do not count.
   */
  public boolean isSatisfied(
      @Header(Quotas.DEVICE) String serial, @Variable(Account.VARIABLE) Account account) {
    State state = state(serial);
    synchronized (state) {
      return state.isFull
          && nanoClock.getAsLong() - state.fullAt < interval(account).toNanos()
          && (!state.isRequested || nanosAfterReplyTime(state, account, state.fullAt) > 0);
    }
  }

  /** Route step: records a request to the device in the header. */
  public void startRequest(@Header(Quotas.DEVICE) String serial) {
    State state = state(serial);
    synchronized (state) {
      state.hasMissedReply |= state.isReplyPending;
      state.isReplyPending = true;
      state.isRequested = true;
      state.requestedAt = nanoClock.getAsLong();
      state.isFull = false;
    }
  }

  /** For routes: the ID of a request, which is the current time in milliseconds. */
  public String id() {
    return Long.toString(System.currentTimeMillis());
  }

  /**
   * Whether the device has not replied to an earlier JSON request: some models reply only to
   * requests in binary frames.
   */
  public boolean needsFrame(@Header(Quotas.DEVICE) String serial) {
    State state = state(serial);
    synchronized (state) {
      return state.hasMissedReply;
    }
  }

  /** For routes: the request for all values as a frame without a command. */
  public byte[] frame() {
    return Frames.getAll((int) (System.currentTimeMillis() & Integer.MAX_VALUE));
  }

  /** Route step: records replies, and messages with all values of a device. */
  public void recordMessage(Exchange exchange) {
    Message message = exchange.getMessage();
    State state = states.get(message.getHeader(Quotas.DEVICE, "", String.class));
    if (state == null) {
      return;
    }
    synchronized (state) {
      if (Quotas.REPLY.equals(message.getHeader(Quotas.SOURCE))) {
        state.isReplyPending = false;
      }
      if (Quotas.isTrue(message, Quotas.FULL)) {
        Long received = Quotas.received(message);
        long at = received == null ? nanoClock.getAsLong() : devices.receivedAt(received);
        if (!state.isFull || at - state.fullAt > 0) {
          state.isFull = true;
          state.fullAt = at;
        }
      }
    }
  }

  /** Route step: handles a request that the broker has acknowledged. */
  public void sent(@Variable(Account.VARIABLE) Account account) {
    failing.of(account).set(false);
  }

  /** Route step: logs a request that could not be sent. */
  public void failed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    if (failure instanceof MqttException mqtt
        && mqtt.getReasonCode() == MqttException.REASON_CODE_CLIENT_CLOSED) {
      // The exporter closed the connection itself: it is shutting down, or has logged a reconnect.
      return;
    }
    Account account = Account.of(exchange);
    failing.of(account).set(true);
    lines.warn(
        "request " + account.name(),
        account.prefix()
            + "Request to device "
            + exchange.getMessage().getHeader(Quotas.DEVICE)
            + " failed: "
            + Lines.describe(failure)
            + "; next attempt in "
            + Lines.seconds(interval(account))
            + " s");
  }
}
