package ecoflow.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.common.utils.Utils;

/**
 * Many devices with the values of a real DELTA 2 Max. Each sends 20 values every 5 s, and all of
 * its values every 30 s.
 *
 * @param metrics as ECOFLOW_METRICS
 * @param size number of devices
 * @param values number of values of each
 */
record Population(String metrics, int size, int values) {

  static final int PUSH_SECONDS = 5;

  /** One in this many messages has all values. */
  static final int FULL_EVERY = 6;

  private static final int SIZE = 10_000;
  private static final int DEVICES_OF_ACCOUNT = 100;

  /** Enough that each partition has one. */
  private static final int PROBES = 8 * FleetBed.PARTITIONS;

  private static final int TIMED = 48;
  private static final int VALUES_OF_PUSH = 20;
  private static final String NUMBER = "bms_emsStatus.f32LcdShowSoc";

  static Population normalised(Options<?> options) {
    return new Population("normalised", options.size(SIZE, SIZE / 10), Integer.MAX_VALUE);
  }

  static Population raw(Options<?> options) {
    return new Population("raw", options.size(SIZE, SIZE / 10), 60);
  }

  /** A message with the state of charge as its number. */
  record Message(String head, String tail) {

    byte[] with(double percent) {
      return (head + percent + tail).getBytes(UTF_8);
    }
  }

  /** The message with all values. */
  Message full() throws IOException {
    return message(values);
  }

  Message push() throws IOException {
    return message(VALUES_OF_PUSH);
  }

  private static Message message(int count) throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (InputStream in = Population.class.getResourceAsStream("/quotas/delta2max.json")) {
      JsonNode quotas = new ObjectMapper().readTree(in);
      quotas.forEachEntry((key, value) -> all.put(key, value.toString()));
    }
    all.remove(NUMBER);
    List<String> names = new ArrayList<>(all.keySet());
    Map<String, String> selected = new LinkedHashMap<>();
    int wanted = Math.min(count - 1, names.size());
    for (int i = 0; i < wanted; i++) {
      String name = names.get((int) ((long) i * names.size() / wanted));
      selected.put(name, all.get(name));
    }
    String rest =
        selected.entrySet().stream()
            .map(entry -> ",\"" + entry.getKey() + "\":" + entry.getValue())
            .collect(Collectors.joining());
    return new Message("{\"params\":{\"" + NUMBER + "\":", rest + "}}");
  }

  /** The series with this number on a page, without the prefix. */
  String series() {
    return metrics.equals("raw") ? "bms_ems_status_f32_lcd_show_soc" : "battery_charge_ratio";
  }

  double shown(double percent) {
    return metrics.equals("raw") ? percent : percent / 100;
  }

  String serial(int device) {
    return "R351ZMANY%07d".formatted(device);
  }

  /**
   * The first devices have an account of their own, so that their values can be read without those
   * of others.
   */
  String account(int device) {
    return device < PROBES + TIMED ? "probe-" + device : "account-" + device / DEVICES_OF_ACCOUNT;
  }

  /** Whether only the measurement of times writes the messages of a device. */
  static boolean isTimed(int device) {
    return device >= PROBES && device < PROBES + TIMED;
  }

  /** One of the devices whose messages the measurement of times writes. */
  static int timed(int sample) {
    return PROBES + sample % TIMED;
  }

  /** A device with an account of its own in each partition. */
  Map<Integer, Integer> probes() {
    Map<Integer, Integer> probes = new TreeMap<>();
    for (int device = 0; device < PROBES; device++) {
      probes.putIfAbsent(partition(device), device);
    }
    if (probes.size() < FleetBed.PARTITIONS) {
      throw new IllegalStateException("partitions without a device that can be read");
    }
    return probes;
  }

  /** Number of devices in each partition. */
  Map<Integer, Integer> sizes() {
    Map<Integer, Integer> sizes = new TreeMap<>();
    for (int device = 0; device < size; device++) {
      sizes.merge(partition(device), 1, Integer::sum);
    }
    return sizes;
  }

  /** As the producer of a collector selects it. */
  int partition(int device) {
    return Utils.toPositive(Utils.murmur2(serial(device).getBytes(UTF_8))) % FleetBed.PARTITIONS;
  }

  /** Writes the records of devices, and the messages of the last seconds. */
  void writeHistory(RecordWriter writer, int seconds) throws IOException {
    Message full = full();
    Message push = push();
    long start = System.currentTimeMillis() - TimeUnit.SECONDS.toMillis(seconds);
    for (int device = 0; device < size; device++) {
      writer.device(serial(device), account(device));
    }
    for (int round = 0; round < seconds / PUSH_SECONDS; round++) {
      for (int device = 0; device < size; device++) {
        long millis =
            start
                + TimeUnit.SECONDS.toMillis((long) round * PUSH_SECONDS)
                + TimeUnit.SECONDS.toMillis(PUSH_SECONDS) * device / size;
        Message message = (round + device) % FULL_EVERY == 0 ? full : push;
        writer.push(serial(device), account(device), millis, message.with(round % 100));
      }
    }
    writer.flush();
  }
}
