package ecoflow.metrics;

import ecoflow.device.Device;
import ecoflow.device.Devices;
import ecoflow.device.Labels;
import ecoflow.metrics.Exposition.Sample;
import ecoflow.quota.QuotaStore;
import ecoflow.quota.RecordQuotas;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/** Answers a scrape: what the exporter tells of itself, then the gauges of the devices. */
public final class MetricsPage implements Processor {

  static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
  static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  private static final String END = "# EOF\n";

  private final String prefix;
  private final Devices devices;
  private final QuotaStore store;
  private final RecordQuotas record;
  private final SelfMetrics metrics;

  public MetricsPage(
      String prefix, Devices devices, QuotaStore store, RecordQuotas record, SelfMetrics metrics) {
    this.prefix = prefix;
    this.devices = devices;
    this.store = store;
    this.record = record;
    this.metrics = metrics;
  }

  @Override
  public void process(Exchange exchange) throws IOException {
    Message message = exchange.getMessage();
    boolean openMetrics = wantsOpenMetrics(message.getHeader("Accept", "", String.class));
    boolean gzip = wantsGzip(message.getHeader("Accept-Encoding", "", String.class));
    byte[] body = page(openMetrics).getBytes(StandardCharsets.UTF_8);
    message.removeHeaders("*");
    message.setHeader(Exchange.CONTENT_TYPE, openMetrics ? OPEN_METRICS : TEXT);
    message.setHeader("Vary", "Accept, Accept-Encoding");
    if (gzip) {
      message.setHeader(Exchange.CONTENT_ENCODING, "gzip");
      body = compress(body);
    }
    message.setBody(body);
  }

  /** The whole page; what is too old by now is not on it. */
  String page(boolean openMetrics) {
    record.sweep();
    devices
        .all()
        .forEach(device -> metrics.collected(device.labels(), store.size(device.serial())));
    StringBuilder page = new StringBuilder(1 << 16);
    String own = metrics.registry().scrape(openMetrics ? OPEN_METRICS : TEXT);
    // The end comes after the gauges of the devices.
    page.append(own, 0, own.length() - (own.endsWith(END) ? END.length() : 0));
    Exposition.appendGauge(
        page,
        prefix + "_online",
        "1 if the device is online",
        devices.all().stream()
            .map(device -> new Sample(device.labels(), devices.isOnline(device) ? 1 : 0))
            .toList(),
        openMetrics);
    Exposition.appendGauge(
        page,
        prefix + "_device_last_update_timestamp_seconds",
        "Time of the last value of the device, in seconds since 1970",
        devices.all().stream().map(MetricsPage::lastUpdate).flatMap(Optional::stream).toList(),
        openMetrics);
    Exposition.append(page, prefix, store, this::labels, openMetrics);
    if (openMetrics) {
      page.append(END);
    }
    return page.toString();
  }

  private static Optional<Sample> lastUpdate(Device device) {
    return device.lastUpdateMillis().isEmpty()
        ? Optional.empty()
        : Optional.of(new Sample(device.labels(), device.lastUpdateMillis().getAsLong() / 1000.0));
  }

  private Labels labels(String serial) {
    return devices
        .find(serial)
        .map(Device::labels)
        .orElseGet(() -> new Labels(serial, serial, "Unknown", "unknown"));
  }

  /** OpenMetrics is given to who names it, unless plain text is named with a higher weight. */
  static boolean wantsOpenMetrics(String accept) {
    double open = weight(accept, "application/openmetrics-text");
    return open > 0 && open >= weight(accept, "text/plain");
  }

  static boolean wantsGzip(String acceptEncoding) {
    return weight(acceptEncoding, "gzip") > 0;
  }

  private static double weight(String header, String wanted) {
    double highest = 0;
    for (String part : header.toLowerCase(Locale.ROOT).split(",")) {
      String[] pieces = part.split(";");
      if (pieces[0].strip().equals(wanted)) {
        highest = Math.max(highest, quality(List.of(pieces)));
      }
    }
    return highest;
  }

  private static double quality(List<String> pieces) {
    for (String piece : pieces) {
      String parameter = piece.strip();
      if (parameter.startsWith("q=")) {
        try {
          return Double.parseDouble(parameter.substring(2));
        } catch (NumberFormatException e) {
          return 0;
        }
      }
    }
    return 1;
  }

  private static byte[] compress(byte[] body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(body.length / 8 + 64);
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(body);
    }
    return bytes.toByteArray();
  }
}
