package ecoflow.landing;

import ecoflow.device.DeviceView;
import ecoflow.landing.Landing.Failure;
import ecoflow.landing.Selection.Group;
import ecoflow.landing.Site.Unit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** For a device without values. It remains empty. */
  private static final History EMPTY = new History();

  private final String about;
  private final Supplier<List<DeviceView>> devices;
  private final Function<String, Readings.Result> readings;
  private final int maxGap;
  private final LongSupplier nanoClock;
  private final LongSupplier millisClock;
  private final Supplier<Optional<Failure>> failure;
  private final LongSupplier unknownMessages;
  private final List<Condition> conditions = new ArrayList<>();
  private final Map<String, History> histories = new ConcurrentHashMap<>();
  private volatile Function<DeviceView, String> accountOf = device -> "";
  private volatile boolean hasAccountsPage;
  private volatile Supplier<List<String>> alerts = List::of;
  private volatile Function<String, String> failureOf = serial -> "";
  private Template template;

  LandingPage(
      String about,
      Supplier<List<DeviceView>> devices,
      Function<String, Readings.Result> readings,
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

  void alert(Supplier<List<String>> newAlerts) {
    alerts = newAlerts;
  }

  void explain(Function<String, String> newFailureOf) {
    failureOf = newFailureOf;
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
    long now = millisClock.getAsLong();
    for (DeviceView device : all) {
      History history = histories.computeIfAbsent(device.serial(), unused -> new History());
      history.setOnline(device.online(), now);
      if (device.shown() && !history.has(minute)) {
        Readings.Result result = readings.apply(device.serial());
        history.add(minute, result.reading());
        history.count(result.counts(), now, maxGapMillis());
      }
    }
  }

  private long maxGapMillis() {
    return TimeUnit.MINUTES.toMillis(maxGap);
  }

  private History history(String serial) {
    return histories.getOrDefault(serial, EMPTY);
  }

  private Readings.Result read(DeviceView device) {
    return device.shown() ? readings.apply(device.serial()) : Readings.Result.NONE;
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
    long now = millisClock.getAsLong();
    Map<String, Readings.Result> read = new HashMap<>();
    Map<String, Object> view = new HashMap<>(overview(all, query.account(), read, now));
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
    view.put(
        "groups", selection.groups().stream().map(g -> group(selection, g, read, now)).toList());
    view.put("pages", selection.pages() == 1 ? List.of() : List.of(pages(selection)));
    view.put("noDevices", selection.found() > 0 ? "" : noDevices(all.isEmpty(), query));
    view.put(
        "failures",
        failure.get().stream()
            .map(last -> Map.of("text", last.message(), "ago", ago(last.epochMillis())))
            .toList());
    long unknown = unknownMessages.getAsLong();
    view.put("unknown", unknown == 0 ? "" : Long.toString(unknown));
    return view;
  }

  /** The values of the first line, the problems and the power flows. */
  private Map<String, Object> overview(
      List<DeviceView> all, String account, Map<String, Readings.Result> read, long now) {
    List<Map<String, Object>> states = conditions.stream().map(LandingPage::condition).toList();
    List<Map<String, Object>> problems =
        states.stream().filter(state -> Boolean.FALSE.equals(state.get("isOk"))).toList();
    List<String> failures = alerts.get();
    boolean isOk = problems.isEmpty() && failures.isEmpty();
    List<DeviceView> ofSite =
        account.isEmpty()
            ? all
            : all.stream().filter(device -> account.equals(accountOf.apply(device))).toList();
    List<Unit> units = ofSite.size() > Overview.MAX_DEVICES ? List.of() : units(ofSite, read);
    Overview overview =
        new Overview(
            units,
            (serial, energy) ->
                history(serial).today(energy, read.get(serial).counts(), now, maxGapMillis()),
            now);
    boolean isFine = isOk && all.stream().allMatch(DeviceView::online);
    Map<String, Object> view = new HashMap<>(overview.view());
    view.put(
        "headline",
        Overview.headline(all, isOk, account.isEmpty() ? overview.headlineEnergy() : ""));
    view.put("siteAccount", account);
    view.put("isFine", isFine && !all.isEmpty());
    view.put("isBad", !isOk);
    view.put("alerts", failures.stream().map(text -> Map.of("text", text)).toList());
    view.put("problems", problems);
    view.put("conditions", states);
    return view;
  }

  private List<Unit> units(List<DeviceView> all, Map<String, Readings.Result> read) {
    List<Unit> units = new ArrayList<>();
    for (DeviceView device : all) {
      Readings.Result result = read(device);
      read.put(device.serial(), result);
      units.add(
          new Unit(
              accountOf.apply(device),
              device.serial(),
              device.labels().deviceName(),
              result.reading(),
              device.shown() ? result.reading() : history(device.serial()).last()));
    }
    return units;
  }

  private Map<String, Object> group(
      Selection selection, Group group, Map<String, Readings.Result> read, long now) {
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
        group.devices().stream().map(device -> card(device, read, now)).toList());
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
      return "No devices yet. A device appears here when EcoFlow lists it or when it sends values.";
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

  private Map<String, Object> card(DeviceView device, Map<String, Readings.Result> read, long now) {
    Readings.Result result = read.computeIfAbsent(device.serial(), unused -> read(device));
    History history = history(device.serial());
    return new Card(
            device,
            result.reading(),
            failureOf.apply(device.serial()),
            history,
            energy -> history.today(energy, result.counts(), now, maxGapMillis()),
            now)
        .view(minute(), maxGap);
  }

  /** For routes: the page as HTML. */
  public String html(@Body Map<String, Object> view) {
    return template().render(view);
  }

  /** Loaded on the first request, because most exporters are only scraped. */
  private synchronized Template template() {
    if (template == null) {
      template = Template.resource("page.html");
    }
    return template;
  }
}
