package ecoflow.fleet;

import ecoflow.api.Api;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.payload.Payloads;
import ecoflow.quota.Quotas;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/**
 * The state of devices in a collector, bean {@code deviceStates}: a message is a sign of life of
 * its device, and its values are not decoded. Only status messages and JSON replies are read,
 * because they can report that the device is offline.
 */
final class DeviceStates {

  private final Devices devices;
  private final Meters meters;

  DeviceStates(Devices devices, Meters meters) {
    this.devices = devices;
    this.meters = meters;
  }

  /** Route step: counts a payload, and records that its device has sent it. */
  public void payloadReceived(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(Quotas.DEVICE, "", String.class);
    byte[] payload = message.getBody(byte[].class);
    boolean isText = payload != null && payload.length > 0 && payload[0] == '{';
    meters.mqttMessage(devices.account(serial), isText);
    Object source = message.getHeader(Quotas.SOURCE);
    boolean isStatus = Quotas.STATUS.equals(source);
    Optional<Boolean> online =
        isText && (isStatus || Quotas.REPLY.equals(source))
            ? Payloads.onlineState(
                isStatus, Api.objectIn(new String(payload, StandardCharsets.UTF_8)))
            : Optional.empty();
    boolean isOffline = online.isPresent() && !online.get();
    devices.exclusively(
        serial,
        () -> {
          if (isOffline) {
            devices.reportedOffline(serial);
          }
          if (!devices.isShown(serial)) {
            devices.snapshotDiscarded(serial);
          }
          if (online.isPresent() && online.get()) {
            devices.reportedOnline(serial, devices.now());
          }
          if (!isStatus && !isOffline) {
            devices.dataArrived(serial);
          }
        });
  }

  /**
   * Whether the values in the message belong to a served device. EcoFlow's API also returns the
   * last values of devices that have been offline for days.
   */
  public boolean isCurrent(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(Quotas.DEVICE, "", String.class);
    Object source = message.getHeader(Quotas.SOURCE);
    return Quotas.OTHER.equals(source)
        || (devices.isServed(serial) && (!Quotas.REST.equals(source) || devices.isOnline(serial)));
  }

  /** Route step: records values from EcoFlow's API or from a route of an integrator. */
  public void valuesReceived(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(Quotas.DEVICE, String.class);
    Object source = message.getHeader(Quotas.SOURCE);
    if (Quotas.OTHER.equals(source)) {
      devices.adopt(
          serial,
          message.getHeader(Quotas.NAME, String.class),
          message.getHeader(Quotas.PRODUCT, String.class));
    }
    boolean isPoll = Quotas.REST.equals(source);
    boolean hasValues = !message.getBody(Map.class).isEmpty();
    devices.exclusively(
        serial,
        () -> {
          if (!devices.isShown(serial)) {
            devices.snapshotDiscarded(serial);
          }
          if (hasValues) {
            devices.dataArrived(serial, isPoll, devices.now(), System.currentTimeMillis());
          }
          if (isPoll) {
            devices.snapshotReceived(serial, devices.now());
            devices.polled(serial, hasValues, devices.now());
          }
        });
  }
}
