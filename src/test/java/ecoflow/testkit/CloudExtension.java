package ecoflow.testkit;

import ecoflow.cloud.CloudOptions;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A simulated cloud for tests. In a static field it is used by the whole class, and after each test
 * its faults are cleared, it is running, and devices that the test added are removed; otherwise
 * each test has its own cloud.
 */
public final class CloudExtension
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

  private final List<SimulatedDevice> devices;
  private SimulatedCloud cloud;
  private boolean ofClass;

  /** The depth of nested classes, which use the cloud of their outer class. */
  private int classes;

  private Collection<SimulatedDevice> before;

  /** A cloud that has these devices from the start. */
  public CloudExtension(SimulatedDevice... devices) {
    this.devices = List.of(devices);
  }

  public SimulatedCloud cloud() {
    return cloud;
  }

  /** Replaces the cloud with another one, without devices. */
  SimulatedCloud replace(CloudOptions options) {
    cloud.close();
    cloud = SimulatedCloud.start(options);
    return cloud;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    ofClass = true;
    if (classes++ == 0) {
      start();
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    if (!ofClass) {
      start();
    }
    before = cloud.devices();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (ofClass) {
      cloud.faults().clear();
      cloud.refuseSubscriptions(topic -> false);
      cloud.startHttp();
      cloud.startBroker();
      cloud.devices().stream()
          .filter(device -> !before.contains(device))
          .forEach(device -> cloud.remove(device.serial()));
    } else {
      cloud.close();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    if (--classes == 0 && cloud != null) {
      cloud.close();
    }
  }

  private void start() {
    cloud = SimulatedCloud.start().add(devices.toArray(SimulatedDevice[]::new));
  }
}
