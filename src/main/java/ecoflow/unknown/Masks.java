package ecoflow.unknown;

import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.device.Labels;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Creates the masks for the messages of one recording. */
final class Masks {

  /** Limits the time for a message, because each name and serial number is searched for. */
  private static final int MAX_DEVICES = 200;

  private final Devices devices;
  private final Pseudonyms pseudonyms;

  /**
   * @param lastNumber see {@link Pseudonyms}
   */
  Masks(Devices devices, int lastNumber) {
    this.devices = devices;
    this.pseudonyms = new Pseudonyms(lastNumber);
  }

  /** The mask for a message of a device. */
  Mask of(String serial) {
    return new Mask(words(serial), serials(serial), pseudonyms);
  }

  /** The replacement of the serial number of a device. */
  String serial(String serial) {
    return pseudonyms.of(serial);
  }

  /** Names of devices, which patterns cannot recognise. */
  private Collection<String> words(String serial) {
    List<String> serials = devices.serials();
    return Stream.concat(
            Stream.of(devices.labels(serial)),
            others(serial).map(DeviceView::labels).limit(MAX_DEVICES))
        .map(Labels::deviceName)
        .filter(name -> name.length() > 2 && !serials.contains(name))
        .collect(Collectors.toSet());
  }

  /** Serial numbers whose parts are also masked. */
  private List<String> serials(String serial) {
    return Stream.concat(
            Stream.of(serial), others(serial).map(DeviceView::serial).limit(MAX_DEVICES))
        .distinct()
        .toList();
  }

  /** The devices of the same account. */
  private Stream<DeviceView> others(String serial) {
    return devices.account(serial).map(devices::all).orElseGet(devices::all).stream();
  }
}
