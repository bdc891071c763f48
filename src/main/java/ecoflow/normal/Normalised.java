package ecoflow.normal;

import ecoflow.config.PageSettings;
import ecoflow.device.Devices;
import ecoflow.quota.DeviceValues;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Normalised metrics, bean {@code normalised}, which have the same names, units and signs for all
 * models. They are computed from the stored raw values on each request; only counters are kept
 * between requests.
 */
public final class Normalised {

  private static final Logger LOG = LoggerFactory.getLogger(Normalised.class);
  private static final int MAX_READS = 3;

  private final PageSettings settings;
  private final Optional<Path> messagesDir;
  private final Devices devices;
  private final Quotas quotas;
  private final Consumer<String> countHeld;
  private final LongSupplier nanoClock;
  private final Lines lines;

  /**
   * Read when the first device has values, so that it does not delay the start, except with the
   * user's tables.
   */
  private Table table;

  private final ConcurrentMap<String, Device> known = new ConcurrentHashMap<>();

  /**
   * @param messagesDir directory with the user's tables
   * @param countHeld receives the reason for each value that is held: step, fall, power, range
   */
  public Normalised(
      PageSettings settings,
      Optional<Path> messagesDir,
      Devices devices,
      Quotas quotas,
      Consumer<String> countHeld,
      LongSupplier nanoClock) {
    this.settings = settings;
    this.messagesDir = messagesDir;
    this.devices = devices;
    this.quotas = quotas;
    this.countHeld = countHeld;
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock, Duration.ofHours(1), true);
    if (messagesDir.isPresent()) {
      // Reports errors in the user's tables at start.
      table();
    }
  }

  /**
   * A predicate that matches the names of normalised metrics, without the exporter's prefix,
   * because a raw metric must not have the same name.
   */
  public static Predicate<String> ownNames(PageSettings settings) {
    return settings.metrics().areNormalised() ? name -> Names.ALL.contains(name) : name -> false;
  }

  /** Read when the first series is created, not at start. */
  private static final class Names {
    static final Set<String> ALL = Table.namesOfFamilies();
  }

  /** A device with its plan and its counters; only one thread at a time may use it. */
  private final class Device {

    private final String serial;
    private String product;
    private Optional<Table.Family> family = Optional.empty();

    /** The version of the keys that the plan is for; -1 before the first plan. */
    private long version = -1;

    private Plan plan;
    private Counters counters;
    private Bounds bounds;

    /** The ranges of the series of the plan. */
    private Bounds.Range[] ranges = {};

    /** Whether the last message was a poll that repeated the previous one. */
    private boolean isRepeated;

    /** Whether the last message was read back: its held values were counted before. */
    private boolean isReplay;

    /**
     * Buffers for the values of the keys that counters read, and for the numbers of their messages.
     */
    private double[] cells = {};

    private long[] numbers = {};

    Device(String serial) {
      this.serial = serial;
    }

    /**
     * Updates the plan if the keys or the model have changed; returns whether the model has
     * counters.
     */
    private boolean updatePlan(DeviceValues values, long at) {
      String now = devices.labels(serial).productName();
      boolean isModelChanged = !now.equals(product);
      if (isModelChanged) {
        product = now;
        Optional<Table.Family> found = table().family(serial, product);
        if (!found.equals(family)) {
          family = found;
          counters = null;
        }
      }
      if (isModelChanged || values.version() != version) {
        String[] current = values.keys();
        version = values.version();
        cells = new double[current.length];
        numbers = new long[current.length];
        plan =
            family
                .filter(unused -> current.length > 0)
                .map(of -> Plan.of(table(), of, serial, current))
                .filter(of -> of.series().length > 0)
                .orElse(null);
        if (plan != null && counters == null) {
          double maxWatts = table().maxWatts(family.orElseThrow());
          bounds = new Bounds(maxWatts);
          counters = new Counters(table(), maxWatts, holdNanos(), at, this::held);
        }
        if (plan != null) {
          ranges = Arrays.stream(plan.series()).map(bounds::range).toArray(Bounds.Range[]::new);
        }
      }
      return counters != null;
    }

    /**
     * The time for which a power applies after a message, which is at least the normal silence of
     * the device.
     */
    private long holdNanos() {
      Duration silence = silence(serial, product);
      return Math.max(settings.energyHold().toNanos(), silence.toNanos());
    }

    synchronized void message(boolean mayRepeat, boolean isReplayOfMessage, long at) {
      isReplay = isReplayOfMessage;
      // The fast case for most messages: only the few values that counters read are copied.
      boolean isPlanCurrent =
          plan != null
              && !mayRepeat
              && devices.labels(serial).productName().equals(product)
              && quotas.read(serial, version, counters.cells(), cells, numbers);
      if (isPlanCurrent) {
        isRepeated = !counters.message(plan, cells, numbers, false, isReplay, at);
        return;
      }
      // Another message can change the keys between the two calls, so repeat them.
      for (int attempt = 0; attempt < MAX_READS; attempt++) {
        if (!updatePlan(quotas.storedValuesOf(serial), at)) {
          return;
        }
        double[] all = new double[numbers.length];
        int[] indexes = IntStream.range(0, all.length).toArray();
        if (quotas.read(serial, version, indexes, all, numbers)) {
          isRepeated = !counters.message(plan, all, numbers, mayRepeat, isReplay, at);
          return;
        }
      }
    }

    private void held(Series series, NativeCounter.Held reason, double value) {
      held(series, reason.name().toLowerCase(Locale.ROOT), value);
    }

    private void held(Series series, String reason, double value) {
      if (!isReplay) {
        countHeld.accept(reason);
      }
      lines.warn(
          serial,
          "Device "
              + serial
              + " sent a value of "
              + series
              + " that is not plausible ("
              + reason
              + "): "
              + value
              + "; it is not shown unless"
              + " further messages confirm it");
    }

    /** Whether the value of a series of the plan is shown. */
    private boolean isShown(int i, double value) {
      if (Double.isNaN(value)) {
        return false;
      }
      Series series = plan.series()[i];
      if (ranges[i].contains(value)) {
        bounds.forget(series);
        return true;
      }
      Bounds.Verdict verdict = bounds.check(series, value, newestMessage(i), isRepeated);
      if (verdict == Bounds.Verdict.HELD) {
        held(series, Bounds.isPower(series) ? "power" : "range", value);
      }
      return verdict == Bounds.Verdict.SHOWN;
    }

    /** The number of the newest message with a value of a series. */
    private synchronized long newestMessage(int i) {
      Set<Integer> cellsOfSeries = new TreeSet<>();
      plan.addCells(i, cellsOfSeries);
      int[] indexes = cellsOfSeries.stream().mapToInt(cell -> cell).toArray();
      quotas.read(serial, version, indexes, cells, numbers);
      long newest = 0;
      for (int index : indexes) {
        newest = Math.max(newest, numbers[index]);
      }
      return newest;
    }

    /** Passes each series with a value to the sink, in the order of the names. */
    synchronized void collect(DeviceValues of, Sink sink) {
      long now = nanoClock.getAsLong();
      if (!updatePlan(of, now)) {
        return;
      }
      double[] values = plan == null ? new double[0] : plan.values(of.values());
      List<Counters.Counted> counted = counters.count(plan, of.values(), values, now);
      for (int i = 0; i < values.length; i++) {
        if (isShown(i, values[i])) {
          sink.accept(plan.series()[i], values[i]);
        }
      }
      for (Counters.Counted counter : counted) {
        if (!Double.isNaN(counter.value())) {
          sink.accept(counter.series(), counter.value());
        }
      }
    }
  }

  private interface Sink {

    void accept(Series series, double value);
  }

  /** Route step, after the message is stored: updates the counters between scrapes. */
  public void normalise(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(Quotas.DEVICE, String.class);
    if (settings.metrics().areNormalised() && devices.isServed(serial)) {
      device(serial)
          .message(
              Quotas.REST.equals(message.getHeader(Quotas.SOURCE)),
              Quotas.isTrue(message, Quotas.REPLAY),
              quotas.receivedAt(message));
    }
  }

  private synchronized Table table() {
    if (table == null) {
      table = Table.load(messagesDir, problem -> LOG.warn("{}", problem));
    }
    return table;
  }

  /** The longest normal silence of a model, in whole seconds; zero for models that send often. */
  public Duration silence(String serial, String product) {
    return table().silence(serial, product);
  }

  /** Forgets the counters of a device that is no longer served. */
  public void remove(String serial) {
    known.remove(serial);
  }

  private Device device(String serial) {
    return known.computeIfAbsent(serial, Device::new);
  }

  /** For routes: the normalised values of the device in the header, sorted by name. */
  public List<NormalValue> of(@Header(Quotas.DEVICE) String serial) {
    List<NormalValue> values = new ArrayList<>();
    device(serial)
        .collect(
            quotas.valuesOf(serial),
            (series, value) ->
                values.add(
                    new NormalValue(
                        series.name().name(),
                        Map.copyOf(series.labels()),
                        value,
                        series.name().unit())));
    return values;
  }

  /** The model family of a device; empty for an unknown model. */
  public String family(String serial) {
    return table()
        .family(serial, devices.labels(serial).productName())
        .map(Table.Family::name)
        .orElse("");
  }

  /** Whether messages update the energy counters, which requires normalised metrics. */
  public boolean countsEnergy() {
    return settings.metrics().areNormalised();
  }

  /** Whether the model of a device has rows for a metric, regardless of the current values. */
  public boolean hasRows(String serial, String metric) {
    return table()
        .family(serial, devices.labels(serial).productName())
        .map(of -> of.rows().stream().anyMatch(row -> row.metric().equals(metric)))
        .orElse(false);
  }

  /**
   * For routes that process all values of a device: returns the map with the normalised values
   * added, by name and labels as on the page, without the prefix: {@code
   * port_voltage_volts{port="ac_in"}}.
   */
  public Map<String, Double> addTo(
      @Header(Quotas.DEVICE) String serial, @Body Map<String, Double> values) {
    Map<String, Double> all = new LinkedHashMap<>(values);
    device(serial)
        .collect(quotas.valuesOf(serial), (series, value) -> all.put(series.toString(), value));
    return all;
  }

  /**
   * All current series, by name.
   *
   * @param values the values of all devices, sorted by serial number
   */
  public List<NormalFamily> families(List<DeviceValues> values) {
    if (values.isEmpty()) {
      return List.of();
    }
    NormalFamily[] families =
        table().names().stream().map(NormalFamily::of).toArray(NormalFamily[]::new);
    for (DeviceValues device : values) {
      device(device.serial())
          .collect(
              device,
              (series, value) ->
                  families[series.name().index()]
                      .rows()
                      .add(device.serial(), series.labelBytes(), value));
    }
    return Arrays.stream(families).filter(family -> family.size() > 0).toList();
  }
}
