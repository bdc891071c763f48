package ecoflow.landing;

import ecoflow.device.DeviceView;
import ecoflow.landing.Landing.Failure;
import ecoflow.landing.Selection.Group;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** The landing page with a chart of the last hour per device, bean {@code landingPage}. */
final class LandingPage {

  private record Condition(String name, Supplier<Optional<String>> problem, String okText) {}

  private final String about;
  private final Supplier<List<DeviceView>> devices;
  private final Function<String, Reading> readings;
  private final int maxGap;
  private final LongSupplier nanoClock;
  private final LongSupplier millisClock;
  private final Supplier<Optional<Failure>> failure;
  private final LongSupplier unknownMessages;
  private final List<Condition> conditions = new ArrayList<>();
  private final Map<String, History> histories = new ConcurrentHashMap<>();
  private volatile Function<DeviceView, String> accountOf = device -> "";
  private volatile boolean hasAccountsPage;
  private Template template;

  LandingPage(
      String about,
      Supplier<List<DeviceView>> devices,
      Function<String, Reading> readings,
      Duration interval,
      LongSupplier nanoClock,
      LongSupplier millisClock,
      Supplier<Optional<Failure>> failure,
      LongSupplier unknownMessages) {
    this.about = about;
    this.devices = devices;
    this.readings = readings;
    this.maxGap = (int) interval.toMinutes() + 2;
    this.nanoClock = nanoClock;
    this.millisClock = millisClock;
    this.failure = failure;
    this.unknownMessages = unknownMessages;
  }

  void show(String name, Supplier<Optional<String>> problem, String okText) {
    conditions.add(new Condition(name, problem, okText));
  }

  void groupBy(Function<DeviceView, String> newAccountOf) {
    accountOf = newAccountOf;
  }

  void linkAccounts() {
    hasAccountsPage = true;
  }

  private long minute() {
    return Math.floorDiv(nanoClock.getAsLong(), TimeUnit.MINUTES.toNanos(1));
  }

  /**
   * Route step: records a value of each device, at most once per minute, and discards the values of
   * devices that are no longer served.
   */
  public void recordReadings() {
    long minute = minute();
    List<DeviceView> all = devices.get();
    if (histories.size() > all.size()) {
      histories
          .keySet()
          .retainAll(all.stream().map(DeviceView::serial).collect(Collectors.toSet()));
    }
    for (DeviceView device : all) {
      History history = histories.computeIfAbsent(device.serial(), unused -> new History());
      if (device.shown() && !history.has(minute)) {
        recordReading(history, minute, readings.apply(device.serial()));
      }
    }
  }

  /** Records the charge; for a device without a charge, the output power. */
  private static void recordReading(History history, long minute, Reading reading) {
    if (reading.charge().isPresent()) {
      history.addCharge(minute, reading.charge().getAsDouble());
    } else if (reading.output().isPresent()) {
      history.addPower(minute, reading.output().getAsDouble());
    }
  }

  private Reading reading(DeviceView device) {
    return device.shown() ? readings.apply(device.serial()) : Reading.NONE;
  }

  /**
   * For routes: the query of a request. Camel also stores each parameter in a header, but request
   * headers can have the same names.
   */
  public Query query(@Header(Exchange.HTTP_RAW_QUERY) String query) {
    return Query.parse(query);
  }

  /** For routes: the values for the template. */
  public Map<String, Object> view(@Body Query query) {
    List<DeviceView> all = devices.get();
    Selection selection = Selection.of(all, accountOf, query);
    Map<String, Object> view = new HashMap<>();
    view.put("about", about);
    view.put("online", Format.count(all.stream().filter(DeviceView::online).count()));
    view.put("count", Format.count(all.size()));
    boolean needsSearch = selection.needsSearch(all.size());
    view.put("isSearchHidden", !needsSearch);
    // Without scripts, a refresh discards the text in the search field.
    view.put("refresh", needsSearch ? 60 : 15);
    view.put("hasAccounts", selection.hasAccounts());
    view.put("hasAccountsPage", hasAccountsPage);
    view.put("query", query.text());
    view.put("queryAccount", query.account());
    view.put("isFilter", query.isFilter());
    view.put("found", Format.devices(selection.found()));
    view.put("groups", selection.groups().stream().map(g -> group(selection, g)).toList());
    view.put("pages", selection.pages() == 1 ? List.of() : List.of(pages(selection)));
    view.put("noDevices", selection.found() > 0 ? "" : noDevices(all.isEmpty(), query));
    view.put("conditions", conditions.stream().map(LandingPage::condition).toList());
    view.put(
        "failures",
        failure.get().stream()
            .map(last -> Map.of("text", last.message(), "ago", ago(last.epochMillis())))
            .toList());
    long unknown = unknownMessages.getAsLong();
    view.put("unknown", unknown == 0 ? "" : Long.toString(unknown));
    return view;
  }

  private Map<String, Object> group(Selection selection, Group group) {
    boolean hasHeading = selection.hasAccounts() && !group.account().isEmpty();
    String size = Format.devices(group.all());
    return Map.of(
        "account",
        hasHeading ? group.account() : "",
        "accountLink",
        Query.accountLink(group.account()),
        "size",
        group.found() == group.all() ? size : Format.count(group.found()) + " of " + size,
        "devices",
        group.devices().stream().map(this::device).toList());
  }

  private static Map<String, Object> pages(Selection selection) {
    int page = selection.page();
    return Map.of(
        "previous",
        page == 1 ? "" : selection.query().link(page - 1),
        "range",
        Format.count(selection.first())
            + " to "
            + Format.count(selection.last())
            + " of "
            + Format.count(selection.found()),
        "next",
        page == selection.pages() ? "" : selection.query().link(page + 1));
  }

  private static String noDevices(boolean areNoneServed, Query query) {
    if (areNoneServed) {
      return "No devices yet.";
    }
    String where =
        query.account().isEmpty() ? "" : " in account \u201c" + query.account() + "\u201d";
    return query.text().isEmpty()
        ? "No devices" + where + "."
        : "No device" + where + " matches \u201c" + query.text() + "\u201d.";
  }

  private static Map<String, Object> condition(Condition condition) {
    Optional<String> problem = condition.problem().get();
    return Map.of(
        "name", condition.name(),
        "isOk", problem.isEmpty(),
        "text", problem.orElse(condition.okText()));
  }

  private String ago(long epochMillis) {
    return Format.ago(millisClock.getAsLong() - epochMillis);
  }

  private Map<String, Object> device(DeviceView device) {
    Reading reading = reading(device);
    OptionalDouble charge = reading.charge();
    double ratio = Math.min(1, Math.max(0, charge.orElse(0)));
    Map<String, Object> view = new HashMap<>();
    view.put("name", device.labels().deviceName());
    view.put("product", device.labels().productName());
    view.put("serial", device.serial());
    view.put("isOnline", device.online());
    view.put("absence", device.absence());
    view.put("hasCharge", charge.isPresent());
    view.put("charge", charge.isPresent() ? Format.percent(charge.getAsDouble()) : "");
    view.put("bar", Math.round(100 * ratio));
    view.put("isLow", charge.isPresent() && ratio < 0.2);
    view.put("input", Format.watts(reading.input()));
    view.put("output", Format.watts(reading.output()));
    view.put("remainingTime", Format.remainingTime(reading));
    view.put(
        "updated",
        device.lastUpdateMillis().isPresent()
            ? ago(device.lastUpdateMillis().getAsLong())
            : "no value yet");
    History history = histories.get(device.serial());
    view.put("chart", history == null ? "" : history.path(minute(), maxGap));
    view.put("chartTitle", history != null && history.isCharge() ? "Charge" : "Output power");
    return view;
  }

  /** For routes: the page as HTML. */
  public String html(@Body Map<String, Object> view) {
    return template().render(view);
  }

  /** For routes: README.md and docs/CONFIGURATION.md of the running version. */
  public byte[] manual() throws IOException {
    try (InputStream in =
        new SequenceInputStream(
            LandingPage.class.getResourceAsStream("README.md"),
            LandingPage.class.getResourceAsStream("docs/CONFIGURATION.md"))) {
      return in.readAllBytes();
    }
  }

  /** Loaded on the first request, because most exporters are only scraped. */
  private synchronized Template template() {
    if (template == null) {
      template = Template.resource("page.html");
    }
    return template;
  }
}
