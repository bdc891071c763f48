package ecoflow.testkit;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Serial numbers that an exporter knows from its start, for tests that each need devices. */
public final class DevicePool {

  private final String start;
  private final int size;
  private final AtomicInteger taken = new AtomicInteger();

  /**
   * @param start of every serial number; digits follow to the length of 16
   */
  public DevicePool(String start, int size) {
    this.start = start;
    this.size = size;
  }

  /** All of them as ECOFLOW_DEVICE_SN takes them. */
  public String serials() {
    return IntStream.range(0, size).mapToObj(this::serial).collect(Collectors.joining(","));
  }

  /** The setting that lists the devices of several pools. */
  public static String setting(Collection<DevicePool> pools) {
    return pools.stream()
        .map(DevicePool::serials)
        .collect(Collectors.joining(",", "ECOFLOW_DEVICE_SN=", ""));
  }

  public String serial(int number) {
    String digits = Integer.toString(number);
    return start + "0".repeat(16 - start.length() - digits.length()) + digits;
  }

  /** Puts the next device on the cloud. */
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
