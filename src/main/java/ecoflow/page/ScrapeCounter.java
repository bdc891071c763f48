package ecoflow.page;

import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.meters.Meters.Scrape;

/**
 * Counts each collection as a scrape of each device in modes without polls, bean {@code
 * scrapeCounter}.
 */
final class ScrapeCounter {

  private final Devices devices;
  private final Meters meters;

  ScrapeCounter(Devices devices, Meters meters) {
    this.devices = devices;
    this.meters = meters;
  }

  /** Route step: counts the result for each device that is not polled. */
  public void countAll() {
    for (DeviceView device : devices.all()) {
      if (!isPolled(device.serial())) {
        meters.scraped(device.labels(), result(device));
      }
    }
  }

  private boolean isPolled(String serial) {
    return devices.account(serial).filter(account -> !account.mode().usesAccount()).isPresent();
  }

  private static Scrape result(DeviceView device) {
    if (device.online()) {
      return Scrape.SUCCESS;
    }
    return device.missing() ? Scrape.NOT_FOUND : Scrape.OFFLINE;
  }
}
