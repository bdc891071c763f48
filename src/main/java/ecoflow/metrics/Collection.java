package ecoflow.metrics;

import ecoflow.config.Settings.Mode;
import ecoflow.device.Device;
import ecoflow.device.Devices;
import ecoflow.metrics.SelfMetrics.Scrape;
import ecoflow.quota.QuotaStore;
import ecoflow.quota.RecordQuotas;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** The regular look at every device: gauges that are too old go, the exporter's own are set. */
public final class Collection implements Processor {

  private final Mode mode;
  private final Devices devices;
  private final QuotaStore store;
  private final RecordQuotas record;
  private final SelfMetrics metrics;
  private final LongSupplier nanoClock;

  public Collection(
      Mode mode,
      Devices devices,
      QuotaStore store,
      RecordQuotas record,
      SelfMetrics metrics,
      LongSupplier nanoClock) {
    this.mode = mode;
    this.devices = devices;
    this.store = store;
    this.record = record;
    this.metrics = metrics;
    this.nanoClock = nanoClock;
  }

  @Override
  public void process(Exchange exchange) {
    record.sweep();
    for (Device device : devices.all()) {
      long started = nanoClock.getAsLong();
      int series = store.size(device.serial());
      metrics.collected(device.labels(), series);
      // With REST each poll counts itself; with an account there is nothing to poll.
      if (mode.usesAccount()) {
        metrics.scraped(
            device.labels(),
            devices.isOnline(device) ? Scrape.SUCCESS : Scrape.OFFLINE,
            Duration.ofNanos(nanoClock.getAsLong() - started));
      }
    }
  }
}
