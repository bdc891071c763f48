package ecoflow.registries;

import ecoflow.device.Devices;
import ecoflow.device.Labels;
import ecoflow.quota.SeriesWatcher;
import ecoflow.text.Lines;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Registers a gauge for each series in each registry, with the same name and labels as on the
 * metrics page. A gauge returns the newest value.
 *
 * <p>Lock order: device, series, gauges, registry.
 */
final class SeriesGauges implements SeriesWatcher {

  private final String prefix;
  private final Devices devices;
  private final List<MeterRegistry> registries;
  private final Lines lines;
  private final Map<String, DeviceGauges> byDevice = new ConcurrentHashMap<>();

  /**
   * @param prefix the prefix of the names, without the underscore
   */
  SeriesGauges(String prefix, Devices devices, List<MeterRegistry> registries, Lines lines) {
    this.prefix = prefix + "_";
    this.devices = devices;
    this.registries = List.copyOf(registries);
    this.lines = lines;
  }

  @Override
  public void added(Series series) {
    // The caller has locked the device, so its labels cannot change.
    Labels labels = devices.labels(series.serial());
    of(series.serial()).add(series, labels);
  }

  @Override
  public void removed(Series series) {
    of(series.serial()).remove(series);
  }

  /** Applies changed labels of a device. */
  void rename(String serial) {
    devices.exclusively(serial, () -> of(serial).rename(devices.labels(serial)));
  }

  private DeviceGauges of(String serial) {
    return byDevice.computeIfAbsent(serial, unused -> new DeviceGauges());
  }

  /** The gauges of one device. */
  private final class DeviceGauges {

    private final Map<Series, List<Registered>> bySeries = new IdentityHashMap<>();
    private Labels labels;

    synchronized void add(Series series, Labels current) {
      rename(current);
      bySeries.put(series, register(series));
    }

    synchronized void remove(Series series) {
      List<Registered> gauges = bySeries.remove(series);
      if (gauges != null) {
        gauges.forEach(Registered::remove);
      }
    }

    synchronized void rename(Labels current) {
      if (!current.equals(labels)) {
        labels = current;
        bySeries.values().forEach(gauges -> gauges.forEach(Registered::remove));
        bySeries.replaceAll((series, gauges) -> register(series));
      }
    }

    private List<Registered> register(Series series) {
      Tags tags = tags(labels, series.indexes());
      List<Registered> gauges = new ArrayList<>(registries.size());
      for (MeterRegistry registry : registries) {
        try {
          Gauge gauge =
              Gauge.builder(prefix + series.name(), series, Series::value)
                  .description("EcoFlow quota " + series.rawKey())
                  .tags(tags)
                  .strongReference(true)
                  .register(registry);
          gauges.add(new Registered(registry, gauge));
        } catch (RuntimeException e) {
          // Some registries reject certain names, or series with the same name but different label
          // names.
          String name = registry.getClass().getSimpleName();
          lines.warn(name, name + " rejected series " + series.name() + ": " + Lines.root(e));
        }
      }
      return gauges;
    }
  }

  private record Registered(MeterRegistry registry, Gauge gauge) {

    void remove() {
      registry.remove(gauge);
    }
  }

  private static Tags tags(Labels labels, List<String> indexes) {
    String[] pairs = new String[8 + 2 * indexes.size()];
    int i = 0;
    pairs[i++] = "device";
    pairs[i++] = labels.device();
    pairs[i++] = "device_name";
    pairs[i++] = labels.deviceName();
    pairs[i++] = "product_name";
    pairs[i++] = labels.productName();
    pairs[i++] = "device_general_key";
    pairs[i++] = labels.generalKey();
    for (int index = 0; index < indexes.size(); index++) {
      pairs[i++] = "index_" + index;
      pairs[i++] = indexes.get(index);
    }
    return Tags.of(pairs);
  }
}
