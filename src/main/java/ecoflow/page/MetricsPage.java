package ecoflow.page;

import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.page.Exposition.Sample;
import ecoflow.quota.Quotas;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** Answers a scrape: what the exporter tells of itself, then the gauges of the devices. */
final class MetricsPage {

  static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
  static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  private static final String END = "# EOF\n";

  private final String prefix;
  private final Devices devices;
  private final Quotas quotas;
  private final Meters meters;

  MetricsPage(String prefix, Devices devices, Quotas quotas, Meters meters) {
    this.prefix = prefix;
    this.devices = devices;
    this.quotas = quotas;
    this.meters = meters;
  }

  /** Route step: the page as the headers Accept and Accept-Encoding ask for it. */
  public void answer(Exchange exchange) throws IOException {
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
    quotas.removeOld();
    devices
        .all()
        .forEach(device -> meters.collected(device.labels(), quotas.size(device.serial())));
    StringBuilder page = new StringBuilder(1 << 16);
    String own = meters.registry().scrape(openMetrics ? OPEN_METRICS : TEXT);
    // The end comes after the gauges of the devices.
    page.append(own, 0, own.length() - (own.endsWith(END) ? END.length() : 0));
    Exposition.appendGauge(
        page,
        prefix + "_online",
        "1 if the device is online",
        devices.all().stream()
            .map(device -> new Sample(device.labels(), device.online() ? 1 : 0))
            .toList(),
        openMetrics);
    Exposition.appendGauge(
        page,
        prefix + "_device_last_update_timestamp_seconds",
        "Time of the last value of the device, in seconds since 1970",
        devices.all().stream()
            .filter(device -> device.lastUpdateMillis().isPresent())
            .map(
                device ->
                    new Sample(device.labels(), device.lastUpdateMillis().getAsLong() / 1000.0))
            .toList(),
        openMetrics);
    Exposition.append(page, prefix, quotas.snapshot(), devices::labels, openMetrics);
    if (openMetrics) {
      page.append(END);
    }
    return page.toString();
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
