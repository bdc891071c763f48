package ecoflow.values;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Responses of quota/all of real devices in src/test/resources, and values of such responses. */
public final class QuotaMaps {

  /** The files, with the start of the serial numbers for which the tests use them. */
  public static final Map<String, String> SERIALS =
      Map.ofEntries(
          Map.entry("parts/delta-max-powerstream.json", "DAEB"),
          Map.entry("parts/delta-pro-alone.json", "DCABZ"),
          Map.entry("parts/delta2-alone.json", "R331"),
          Map.entry("parts/delta2max-powerstream.json", "R351"),
          Map.entry("parts/glacier-without-battery.json", "BX11"),
          Map.entry("parts/home-panel-one-battery.json", "SP10"),
          Map.entry("parts/home-panel2-two-batteries.json", "HD31"),
          Map.entry("parts/powerstream-without-battery.json", "HW51"),
          Map.entry("parts/river-pro-alone.json", "P201"),
          Map.entry("parts/shelly-two-clamps.json", "SM3A"),
          Map.entry("parts/smart-meter-one-phase.json", "BK21"),
          Map.entry("parts/stream-leader.json", "BK11"),
          Map.entry("parts/stream-member.json", "BK31"),
          Map.entry("parts/wave2-without-battery.json", "KT21"),
          Map.entry("quotas/delta-pro-ultra.json", "Y711"),
          Map.entry("quotas/delta2max.json", "R351"),
          Map.entry("quotas/powerocean.json", "HJ31"),
          Map.entry("quotas/powerstream.json", "HW51"),
          Map.entry("quotas/stream-ac-pro.json", "BK31"));

  private QuotaMaps() {}

  /** The names of the files of a directory, without their extension. */
  static List<String> names(String directory) {
    return SERIALS.keySet().stream()
        .filter(file -> file.startsWith(directory + "/"))
        .map(file -> file.replaceFirst(".*/", "").replace(".json", ""))
        .sorted()
        .toList();
  }

  public static String text(String file) {
    try {
      return Files.readString(Path.of("src/test/resources").resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
