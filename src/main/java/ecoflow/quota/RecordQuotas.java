package ecoflow.quota;

import ecoflow.device.Device;
import ecoflow.device.Devices;
import java.time.Duration;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores the values of one message under its device: the body is a map of raw quota keys to values,
 * the headers are those of {@link QuotaHeaders}. Also takes the gauges of devices that went
 * offline.
 */
public final class RecordQuotas implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(RecordQuotas.class);

  private final Devices devices;
  private final QuotaStore store;
  private final Duration seriesTtl;
  private final LongSupplier nanoClock;

  /**
   * @param seriesTtl the age at which a single series goes, though its device still sends others
   */
  public RecordQuotas(
      Devices devices, QuotaStore store, Duration seriesTtl, LongSupplier nanoClock) {
    this.devices = devices;
    this.seriesTtl = seriesTtl;
    this.store = store;
    this.nanoClock = nanoClock;
  }

  @Override
  public void process(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(QuotaHeaders.DEVICE, String.class);
    MessageStory story = MessageStory.of(exchange);
    Device device = devices.find(serial).orElse(null);
    if (device == null) {
      LOG.debug("Values of device {} are not wanted", serial);
      return;
    }
    boolean rest = QuotaHeaders.SOURCE_REST.equals(message.getHeader(QuotaHeaders.SOURCE));
    if (Boolean.FALSE.equals(message.getHeader(QuotaHeaders.ONLINE, Boolean.class))) {
      device.reportedOffline();
      sweep(device);
      if (story != null) {
        story.remark("the device is off");
      }
    } else if (rest && !devices.isOnline(device)) {
      // The cloud hands out the last known values of devices that have been off for days.
      LOG.debug("Device {} went offline before its values arrived", serial);
    } else {
      store(device, message.getBody(Map.class), story);
    }
  }

  private void store(Device device, Map<?, ?> quotas, MessageStory story) {
    synchronized (device) {
      // What was known before the device went away must not come back with its first message.
      sweep(device);
      int taken =
          story == null
              ? store.record(device.serial(), quotas)
              : store.record(device.serial(), quotas, story);
      if (taken > 0) {
        device.dataArrived(nanoClock.getAsLong(), System.currentTimeMillis());
      }
      if (story != null) {
        story.taken(taken);
      }
    }
  }

  /** Removes the gauges of all devices that are offline, and single ones that are too old. */
  public void sweep() {
    store.expire(seriesTtl);
    devices.all().forEach(this::sweep);
  }

  private void sweep(Device device) {
    synchronized (device) {
      if (!devices.isShown(device)) {
        store.forget(device.serial());
      }
    }
  }
}
