package ecoflow.page;

import ecoflow.account.Accounts;
import ecoflow.config.PageSettings;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.normal.Info;
import ecoflow.normal.Normalised;
import ecoflow.page.Exposition.Sample;
import ecoflow.quota.Quotas;
import ecoflow.quota.Snapshot;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** The metrics page: the exporter metrics, followed by the metrics of the devices. */
final class MetricsPage {

  static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
  static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  private static final String PLAIN = "text/plain; charset=utf-8";
  private static final int NOT_FOUND = 404;
  private static final String END = "# EOF\n";

  /** A piece can exceed its size by up to one series. */
  private static final int SERIES_RESERVE = 1 << 12;

  private final PageSettings settings;
  private final boolean showsDevices;
  private final String prefix;
  private final Accounts accounts;
  private final boolean areNamed;
  private final Devices devices;
  private final Quotas quotas;
  private final Normalised normalised;
  private final Info info;
  private final Meters meters;
  private final Exposition.Names names;

  /** The initial capacity, based on the last page, so that the buffer rarely grows. */
  private volatile int capacity = PageStream.PIECE + SERIES_RESERVE;

  MetricsPage(
      PageSettings settings,
      boolean showsDevices,
      Accounts accounts,
      Devices devices,
      Quotas quotas,
      Normalised normalised,
      Meters meters) {
    this.settings = settings;
    this.showsDevices = showsDevices;
    this.accounts = accounts;
    this.areNamed = accounts.areNamed();
    this.prefix = settings.prefix();
    this.normalised = normalised;
    this.info = new Info(quotas, normalised);
    this.devices = devices;
    this.quotas = quotas;
    this.meters = meters;
    this.names = new Exposition.Names(prefix);
  }

  /**
   * Route step: returns the page in the format and encoding that the client accepts. With an
   * accounts file, the parameter {@code account} of the query selects accounts. Request headers
   * cannot replace the header with the query.
   */
  public void answer(Exchange exchange) throws IOException {
    Message message = exchange.getMessage();
    boolean openMetrics = prefersOpenMetrics(message.getHeader("Accept", "", String.class));
    boolean gzip = acceptsGzip(message.getHeader("Accept-Encoding", "", String.class));
    boolean head = "HEAD".equals(message.getHeader(Exchange.HTTP_METHOD));
    String query = message.getHeader(Exchange.HTTP_RAW_QUERY, String.class);
    AccountFilter filter = AccountFilter.of(areNamed ? query : null, accounts);
    message.removeHeaders("*");
    if (!filter.unknown().isEmpty()) {
      message.setHeader(Exchange.HTTP_RESPONSE_CODE, NOT_FOUND);
      message.setHeader(Exchange.CONTENT_TYPE, PLAIN);
      message.setHeader("X-Content-Type-Options", "nosniff");
      message.setBody(filter.problem());
      return;
    }
    message.setHeader(Exchange.CONTENT_TYPE, openMetrics ? OPEN_METRICS : TEXT);
    message.setHeader("Vary", "Accept, Accept-Encoding");
    if (gzip) {
      message.setHeader(Exchange.CONTENT_ENCODING, "gzip");
    }
    PageStream page = page(filter, openMetrics, gzip);
    Optional<ByteBuffer> whole = page.whole();
    if (whole.isPresent()) {
      message.setBody(whole.get());
    } else {
      // A large page is not written only to compute its length.
      message.setBody(head ? InputStream.nullInputStream() : page);
    }
    if (!gzip && filter.isAll()) {
      capacity = whole.map(ByteBuffer::remaining).orElse(PageStream.MAX_WHOLE) + SERIES_RESERVE;
    }
  }

  /** Removes expired series and creates the page. */
  private PageStream page(AccountFilter filter, boolean openMetrics, boolean gzip)
      throws IOException {
    if (!showsDevices) {
      return new PageStream(exporterMetrics(filter, openMetrics), List.of(), "", gzip);
    }
    // The devices of some accounts only, so that such a page costs no more than its own series.
    Set<String> serials =
        filter.accounts().stream()
            .flatMap(account -> devices.serials(account).stream())
            .collect(Collectors.toSet());
    if (filter.isAll()) {
      quotas.removeOld();
    } else {
      serials.forEach(quotas::removeOldOf);
    }
    List<DeviceView> all = filter.isAll() ? devices.all() : views(serials);
    all.forEach(device -> meters.collected(device.labels(), quotas.size(device.serial())));
    if (areNamed && filter.isAll()) {
      meters.retainDevices(devices::isServed);
    }
    boolean isShort = gzip || !filter.isAll();
    PageBytes start = new PageBytes(isShort ? PageStream.PIECE + SERIES_RESERVE : capacity);
    String type = openMetrics ? OPEN_METRICS : TEXT;
    if (filter.isAll()) {
      meters.registry().scrape(start, type);
    } else {
      meters.scrape(start, type, filter.names(), serials);
    }
    // The metrics of the devices precede the end marker.
    start.removeSuffix(END);
    Snapshot values = filter.isAll() ? quotas.snapshot() : quotas.snapshot(serials);
    Info.Series texts =
        settings.info() ? info.series(values.devices()) : new Info.Series(Map.of(), List.of());
    Map<String, String> versions = texts.versions();
    if (areNamed || !versions.isEmpty()) {
      List<DeviceView> described =
          areNamed
              ? all
              : all.stream().filter(device -> versions.containsKey(device.serial())).toList();
      Exposition.appendDeviceInfo(
          start, prefix + "_device", described, areNamed, versions, openMetrics);
    }
    Exposition.appendGauge(
        start,
        prefix + "_online",
        "1 if the device is online",
        all.stream().map(device -> new Sample(device.labels(), device.online() ? 1 : 0)).toList(),
        openMetrics);
    Exposition.appendGauge(
        start,
        prefix + "_device_last_update_timestamp_seconds",
        "Time of the last value of the device, in seconds since 1970",
        all.stream()
            .filter(device -> device.lastUpdateMillis().isPresent())
            .map(
                device ->
                    new Sample(device.labels(), device.lastUpdateMillis().getAsLong() / 1000.0))
            .toList(),
        openMetrics);
    Map<String, byte[]> encoded = new HashMap<>();
    Function<String, byte[]> labels =
        serial ->
            encoded.computeIfAbsent(
                serial, unused -> Exposition.deviceLabels(devices.labels(serial)));
    List<PagePart<?>> rest = new ArrayList<>();
    if (settings.metrics().areRaw()) {
      rest.add(new Exposition(values.families(), labels, names, openMetrics));
    }
    if (settings.metrics().areNormalised()) {
      rest.add(
          new NormalExposition(prefix, normalised.families(values.devices()), labels, openMetrics));
    }
    if (!texts.families().isEmpty()) {
      rest.add(new NormalExposition(prefix, texts.families(), labels, openMetrics));
    }
    return new PageStream(start, rest, openMetrics ? END : "", gzip);
  }

  /** Only the metrics about the exporter itself. */
  private PageBytes exporterMetrics(AccountFilter filter, boolean openMetrics) throws IOException {
    if (areNamed && filter.isAll()) {
      meters.retainDevices(devices::isServed);
    }
    PageBytes bytes = new PageBytes(PageStream.PIECE + SERIES_RESERVE);
    String type = openMetrics ? OPEN_METRICS : TEXT;
    if (filter.isAll()) {
      meters.registry().scrape(bytes, type);
    } else {
      meters.scrape(bytes, type, filter.names(), Set.of());
    }
    return bytes;
  }

  private List<DeviceView> views(Set<String> serials) {
    return serials.stream()
        .map(devices::find)
        .flatMap(Optional::stream)
        .sorted(Comparator.comparing(DeviceView::serial))
        .toList();
  }

  /** Whether the client accepts OpenMetrics with at least the weight of plain text. */
  static boolean prefersOpenMetrics(String accept) {
    double open = weight(accept, "application/openmetrics-text");
    return open > 0 && open >= weight(accept, "text/plain");
  }

  static boolean acceptsGzip(String acceptEncoding) {
    return weight(acceptEncoding, "gzip") > 0;
  }

  private static double weight(String header, String value) {
    double highest = 0;
    for (String part : header.toLowerCase(Locale.ROOT).split(",")) {
      String[] pieces = part.split(";", -1);
      if (pieces[0].strip().equals(value)) {
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
}
