package ecoflow.page;

import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.meters.Meters.Scrape;

/** Counts collections in modes without polls, bean {@code collectDevices}. */
final class CollectDevices {

  private final Devices devices;
  private final Meters meters;

  CollectDevices(Devices devices, Meters meters) {
    this.devices = devices;
    this.meters = meters;
  }

  /** Route step: counts a collection of each device. */
  public void countScrapes() {
    for (DeviceView device : devices.all()) {
      meters.scraped(device.labels(), result(device));
    }
  }

  private static Scrape result(DeviceView device) {
    if (device.online()) {
      return Scrape.SUCCESS;
    }
    return device.missing() ? Scrape.NOT_FOUND : Scrape.OFFLINE;
  }
}
