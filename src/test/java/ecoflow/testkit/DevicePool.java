package ecoflow.testkit;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Serial numbers in the settings of an exporter, for tests that need their own devices. */
public final class DevicePool {

  private final String start;
  private final int size;
  private final AtomicInteger taken = new AtomicInteger();

  /**
   * @param start start of all serial numbers; digits are added up to a length of 16
   */
  public DevicePool(String start, int size) {
    this.start = start;
    this.size = size;
  }

  /**
   * A pool for each model.
   *
   * @param models the prefixes of the serial numbers
   * @param suffix follows the prefix
   */
  public static Map<String, DevicePool> ofModels(String suffix, int size, String... models) {
    return Stream.of(models)
        .collect(Collectors.toMap(model -> model, model -> new DevicePool(model + suffix, size)));
  }

  /** All serial numbers in the format of ECOFLOW_DEVICE_SN. */
  public String serials() {
    return IntStream.range(0, size).mapToObj(this::serial).collect(Collectors.joining(","));
  }

  /** The setting with the devices of several pools. */
  public static String setting(Collection<DevicePool> pools) {
    return pools.stream()
        .map(DevicePool::serials)
        .collect(Collectors.joining(",", "ECOFLOW_DEVICE_SN=", ""));
  }

  public String serial(int number) {
    String digits = Integer.toString(number);
    return start + "0".repeat(16 - start.length() - digits.length()) + digits;
  }

  /** Adds the next device to the cloud. */
  public SimulatedDevice next(SimulatedCloud cloud, WireFormat format) {
    int number = taken.getAndIncrement();
    if (number >= size) {
      throw new IllegalStateException("more than " + size + " devices");
    }
    SimulatedDevice device = new SimulatedDevice(serial(number), "Unused", null, format);
    cloud.add(device);
    return device;
  }
}
