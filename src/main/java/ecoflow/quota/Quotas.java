package ecoflow.quota;

import ecoflow.config.DeviceSettings;
import ecoflow.device.Devices;
import ecoflow.text.Lines;
import ecoflow.text.MessageTrace;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gauges of devices, bean {@code quotas}: stores the values of messages, removes outdated
 * values, and provides the values for scrapes.
 */
public final class Quotas {

  /** Header of each message to {@code direct:quotas}: the serial number. */
  public static final String DEVICE = "EcoflowDevice";

  /** Header: the source of the values, such as {@link #REST}, {@link #PUSH}, {@link #OTHER}. */
  public static final String SOURCE = "EcoflowSource";

  /** Header: true if the message contains all values of the device, not only changes. */
  public static final String FULL = "EcoflowFull";

  /**
   * Header: false if the message reports that the device is offline; absent if the message does not
   * contain the online state.
   */
  public static final String ONLINE = "EcoflowOnline";

  /**
   * Header: the time of receipt in milliseconds since 1970, as a number or as text. A time in the
   * future is replaced by the current time; absent if the message is received now.
   */
  public static final String RECEIVED = "EcoflowReceived";

  /**
   * Header: true if the message was processed before and is read back, for example by an exporter
   * that continues the work of another one. The computed energy does not include it, and sinks do
   * not receive it. The next message without this header ends the replay of its device.
   */
  public static final String REPLAY = "EcoflowReplay";

  /**
   * Header: a map of the keys of complete items in the message, such as items of histories, to
   * their times in seconds since 1970, or to 0. An item is ignored if a newer one with the same key
   * was stored before; otherwise it replaces the previous item completely. Absent without such
   * items.
   */
  public static final String ITEM_TIMES = "EcoflowItemTimes";

  /** The kind of conflict of values beyond a limit. */
  public static final String LIMIT = label(Conflicts.Kind.LIMIT);

  /** The maximum number of texts of a device. */
  public static final int MAX_TEXTS = TextCell.MAX_COUNT;

  /** The maximum number of characters of a text. */
  public static final int MAX_TEXT_LENGTH = TextCell.MAX_LENGTH;

  public static final String REST = "rest";
  public static final String PUSH = "push";
  public static final String REPLY = "reply";
  public static final String STATUS = "status";

  /** The source of a device that is not an EcoFlow device, from a route of the integrator. */
  public static final String OTHER = "other";

  /** Headers with the labels of such a device. */
  public static final String NAME = "EcoflowDeviceName";

  public static final String PRODUCT = "EcoflowProductName";

  /** In September 2001: an earlier time is probably in seconds. */
  private static final long MIN_MILLIS = 1_000_000_000_000L;

  private static final Logger LOG = LoggerFactory.getLogger(Quotas.class);

  private final Devices devices;
  private final QuotaStore store;
  private final boolean keepsJsonStrings;
  private final Function<String, Map<?, ?>> jsonReader;
  private Consumer<String> onChange = serial -> {};

  /**
   * @param ownName whether a series name (without prefix) is a metric of the exporter itself
   * @param countConflict receives the kind of each conflict: a value that cannot be shown together
   *     with others
   * @param keepsJsonStrings whether {@link #valuesOf} includes the values in JSON strings, which do
   *     not have series
   * @param jsonReader parses the object in a JSON string; returns an empty map for any other string
   * @param isText whether {@link #textsOf} includes the text of a raw quota key
   */
  public Quotas(
      DeviceSettings settings,
      Devices devices,
      Predicate<String> ownName,
      Consumer<String> countConflict,
      boolean keepsJsonStrings,
      Function<String, Map<?, ?>> jsonReader,
      Predicate<String> isText,
      LongSupplier nanoClock) {
    this.devices = devices;
    this.keepsJsonStrings = keepsJsonStrings;
    this.jsonReader = jsonReader;
    Lines lines = new Lines(LOG, nanoClock, Lines.MINUTE, false);
    MessageUpdates.Settings updates =
        new MessageUpdates.Settings(
            ownName,
            (kind, serial, name) -> {
              countConflict.accept(label(kind));
              if (kind == Conflicts.Kind.LONG_KEY) {
                lines.warn(
                    serial,
                    "A key of device "
                        + serial
                        + " has more than "
                        + Positions.MAX_KEY_LENGTH
                        + " characters: it is left out, the other values are kept");
              }
            },
            settings.maxSeries(),
            settings.maxValues(),
            devices::pushLead,
            keepsJsonStrings ? jsonReader : text -> Map.of(),
            isText);
    this.store = new QuotaStore(updates, nanoClock);
  }

  /**
   * @param listener receives the serial number of each device whose values may have changed, with
   *     the lock of the device; must not block
   */
  public void onChange(Consumer<String> listener) {
    onChange = listener;
  }

  private static String label(Conflicts.Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  /**
   * The time of receipt in the header of a message, in milliseconds since 1970 and not in the
   * future; null for a message that is received now.
   *
   * @throws IllegalArgumentException if the header is not a time. A message of unknown age must not
   *     be shown as current.
   */
  public static Long received(Message message) {
    Object header = message.getHeader(RECEIVED);
    if (header == null) {
      return null;
    }
    long millis = header instanceof Number number ? number.longValue() : parse(message);
    if (millis < MIN_MILLIS) {
      throw new IllegalArgumentException(
          "header "
              + RECEIVED
              + ": expected milliseconds since 1970, but was '"
              + Lines.oneLine(String.valueOf(header))
              + "'");
    }
    return Math.min(millis, System.currentTimeMillis());
  }

  private static long parse(Message message) {
    String text = message.getHeader(RECEIVED, "", String.class).strip();
    return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
  }

  /**
   * Whether a header is true, as a Boolean or as text; false if it is absent.
   *
   * @throws IllegalArgumentException if the header is neither true nor false
   */
  public static boolean isTrue(Message message, String name) {
    Object header = message.getHeader(name);
    if (header == null || header instanceof Boolean) {
      return Boolean.TRUE.equals(header);
    }
    String text = message.getHeader(name, "", String.class);
    if (!text.equalsIgnoreCase("true") && !text.equalsIgnoreCase("false")) {
      throw new IllegalArgumentException(
          "header " + name + ": expected true or false, but was '" + Lines.oneLine(text) + "'");
    }
    return text.equalsIgnoreCase("true");
  }

  /**
   * Whether counters include a message; false if it is read back, because it was counted before. A
   * header that is not valid counts as false.
   */
  public static boolean isCounted(Message message) {
    Object header = message.getHeader(REPLAY);
    return header == null || !"true".equalsIgnoreCase(String.valueOf(header));
  }

  /** The time of receipt of a message on the monotonic clock. */
  public long receivedAt(Message message) {
    return nanos(received(message));
  }

  private long nanos(Long received) {
    return received == null ? devices.now() : devices.receivedAt(received);
  }

  /** Route step: the body, a map of raw quota keys to values, becomes gauges of the device. */
  public void store(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(DEVICE, String.class);
    Object source = message.getHeader(SOURCE);
    Long received = received(message);
    boolean isReplay = isTrue(message, REPLAY);
    boolean reportsOnline = isTrue(message, ONLINE);
    if (OTHER.equals(source)) {
      devices.adopt(
          serial, message.getHeader(NAME, String.class), message.getHeader(PRODUCT, String.class));
    }
    if (!devices.isServed(serial)) {
      LOG.debug("Values of device {} were dropped: the exporter does not serve it", serial);
    } else {
      Origin origin =
          REST.equals(source) ? Origin.POLL : PUSH.equals(source) ? Origin.PUSH : Origin.OTHER;
      devices.exclusively(
          serial,
          () -> {
            Map<?, ?> quotas = message.getBody(Map.class);
            Map<?, ?> times = message.getHeader(ITEM_TIMES, Map.of(), Map.class);
            long at = nanos(received);
            if (reportsOnline) {
              devices.reportedOnline(serial, at);
            }
            if (origin == Origin.POLL && !devices.isOnline(serial, at)) {
              // The cloud returns the last known values of devices that have been offline for days.
              LOG.debug("Device {} went offline before its values arrived", serial);
              return;
            }
            // Values from before the device went offline must not reappear with the first message.
            removeHidden(serial, at);
            if (received != null) {
              concealHidden(serial);
            }
            MessageTrace trace = MessageTrace.of(exchange);
            Conflicts conflicts =
                trace == null
                    ? Conflicts.IGNORED
                    : (kind, device, name) -> trace.conflict(label(kind), name);
            int stored = store.record(serial, quotas, conflicts, origin, times, at, isReplay);
            boolean hasValues =
                stored > 0 || (!keepsJsonStrings && JsonStrings.haveValues(quotas, jsonReader));
            if (hasValues) {
              long millis = received == null ? System.currentTimeMillis() : received;
              devices.dataArrived(serial, origin == Origin.POLL, at, millis);
            }
            if (origin == Origin.POLL && devices.polled(serial, hasValues, at)) {
              devices.snapshotReceived(serial, at);
            }
            if (received != null) {
              concealHidden(serial);
            }
            if (!isReplay) {
              onChange.accept(serial);
            }
            if (trace != null) {
              trace.accepted(stored);
            }
          });
    }
  }

  /** Route step: marks the device as offline and removes its gauges. */
  public void markOffline(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(DEVICE, String.class);
    Long received = received(message);
    boolean isReplay = isTrue(message, REPLAY);
    devices.exclusively(
        serial,
        () -> {
          long at = nanos(received);
          if (devices.reportedOffline(serial, at)) {
            store.offline(serial, at);
            devices.snapshotDiscarded(serial);
          }
          removeHidden(serial, at);
          store.setReplaying(serial, isReplay);
          if (!isReplay) {
            onChange.accept(serial);
          }
        });
    MessageTrace trace = MessageTrace.of(exchange);
    if (trace != null) {
      trace.remark("the device is off");
    }
  }

  /** Route step: removes the gauges of offline devices, and outdated single gauges. */
  public void removeOld() {
    devices.serials().forEach(this::removeOldOf);
  }

  /** Like {@link #removeOld}, for one device. */
  public void removeOldOf(String serial) {
    devices.exclusively(
        serial,
        () -> {
          store.expire(serial, devices.seriesLife(serial));
          boolean isReplaying = store.isReplaying(serial);
          boolean isHidden = !devices.isShown(serial);
          if (isHidden && !isReplaying) {
            store.forget(serial);
            devices.snapshotDiscarded(serial);
          }
          // During a replay, further messages can show that the device is online.
          store.conceal(serial, (isHidden && isReplaying) || devices.isRestoring(serial));
          if (!isReplaying) {
            onChange.accept(serial);
          }
        });
  }

  /** Removes a device that is no longer served. The caller has the lock of the device. */
  public void remove(String serial) {
    store.forget(serial);
    onChange.accept(serial);
    store.remove(serial);
  }

  /** Removes the values of a device that was offline when a message was received. */
  private void removeHidden(String serial, long at) {
    if (!devices.isShown(serial, at)) {
      store.forget(serial, at);
      devices.snapshotDiscarded(serial);
    }
  }

  /** A message that was received earlier does not show that the device is online now. */
  private void concealHidden(String serial) {
    store.conceal(serial, !devices.isShown(serial) || devices.isRestoring(serial));
  }

  /** Whether the last message of the device was read back, see {@link #REPLAY}. */
  public boolean isReplaying(String serial) {
    return store.isReplaying(serial);
  }

  /** For routes: all values of the device in the header, by raw quota key. */
  public Map<String, Double> picture(@Header(DEVICE) String serial) {
    return store.values(serial);
  }

  /**
   * The values of a device that have changed since the last call, by raw quota key; null for a
   * removed key. The first call returns all values.
   */
  public Map<String, Double> changes(String serial) {
    return store.changes(serial);
  }

  /**
   * For routes that compute a value before the message is stored: the value of a raw quota key in
   * the message, or otherwise the last value shown.
   *
   * @return null if the value does not exist, or the message removes it
   */
  public Double currentValue(Exchange exchange, String key) {
    Message message = exchange.getMessage();
    Double value = MessageValue.find(message.getBody(Map.class), key);
    if (value == null) {
      String serial = message.getHeader(DEVICE, String.class);
      long at = receivedAt(message);
      // Values from before the device went offline are not shown any more.
      value =
          devices.isShown(serial, at)
              ? store.value(serial, key, devices.seriesLife(serial), at)
              : null;
    }
    return value == null || value.isNaN() ? null : value;
  }

  /**
   * Route step: from now on, a computed value is removed together with this input. It does not
   * count as data from the device.
   *
   * @param computed the raw quota key of the computed value
   * @param input the raw quota key of one of the values that it is computed from
   */
  public void addInput(Exchange exchange, String computed, String input) {
    String serial = exchange.getMessage().getHeader(DEVICE, String.class);
    if (devices.isServed(serial)) {
      store.addInput(serial, computed, input);
    }
  }

  /** {@link #currentValue} and, if there is a value, {@link #addInput} in a single expression. */
  public Double inputOf(Exchange exchange, String computed, String input) {
    Double value = currentValue(exchange, input);
    if (value != null) {
      addInput(exchange, computed, input);
    }
    return value;
  }

  /**
   * Route step: multiplies a value of the message, and stores the product under another key, which
   * is removed together with the value. Does nothing if the message does not contain the value.
   *
   * @param key the raw quota key of the value
   * @param product the raw quota key of the product
   */
  @SuppressWarnings("unchecked")
  public void scale(Exchange exchange, String key, String product, double factor) {
    Map<String, Object> values = exchange.getMessage().getBody(Map.class);
    Double value = MessageValue.find(values, key);
    if (value != null && !value.isNaN()) {
      // Decimal, because the binary product of 3 and 0.1 is 0.30000000000000004.
      values.put(
          product, BigDecimal.valueOf(value).multiply(BigDecimal.valueOf(factor)).doubleValue());
      addInput(exchange, product, key);
    }
  }

  /** Route step: stores a value of the message under a second key, like {@link #scale}. */
  public void copy(Exchange exchange, String key, String second) {
    scale(exchange, key, second, 1);
  }

  /** The number of series of a device. */
  public int size(String serial) {
    return store.size(serial);
  }

  /** All series at the time of the call. */
  public Snapshot snapshot() {
    return store.snapshot();
  }

  /** The series of these devices at the time of the call. */
  public Snapshot snapshot(Set<String> serials) {
    return store.snapshot(serials);
  }

  /**
   * The values of a device by raw quota key, including those in JSON strings. Suitable for frequent
   * calls.
   */
  public DeviceValues valuesOf(String serial) {
    return store.valuesOf(serial);
  }

  /**
   * The texts of a device by raw quota key, at most {@value #MAX_TEXTS} with {@value
   * #MAX_TEXT_LENGTH} characters each.
   */
  public Map<String, String> textsOf(String serial) {
    return store.textsOf(serial);
  }

  /** Like {@link #valuesOf}, including values that are not shown before the end of a replay. */
  public DeviceValues storedValuesOf(String serial) {
    return store.storedValuesOf(serial);
  }

  /**
   * Reads some of the values again, without a copy of all values.
   *
   * @param version of the keys returned by {@link #valuesOf}
   * @param positions those of the requested values among these keys
   * @param into receives the values, at their positions
   * @param numbers receives the numbers of the messages that contained the values; they increase
   *     per device
   * @return false, without reading, if the keys of the device have changed
   */
  public boolean read(String serial, long version, int[] positions, double[] into, long[] numbers) {
    return store.read(serial, version, positions, into, numbers);
  }

  /** Registers the watcher, and notifies it of all existing series. */
  public void watch(SeriesWatcher watcher) {
    store.watch(watcher);
  }
}
