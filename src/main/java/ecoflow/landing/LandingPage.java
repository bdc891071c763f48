package ecoflow.landing;

import ecoflow.device.DeviceView;
import ecoflow.landing.Landing.Trouble;
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
import org.apache.camel.Body;

/** The page at / and the hour that it shows of each device, bean {@code landingPage}. */
final class LandingPage {

  private record Condition(String name, Supplier<Optional<String>> problem, String fine) {}

  private final String about;
  private final Supplier<List<DeviceView>> devices;
  private final Function<String, Reading> readings;
  private final int bridge;
  private final LongSupplier nanoClock;
  private final LongSupplier millisClock;
  private final Supplier<Optional<Trouble>> trouble;
  private final LongSupplier unknownMessages;
  private final List<Condition> conditions = new ArrayList<>();
  private final Map<String, History> histories = new ConcurrentHashMap<>();
  private Template template;

  LandingPage(
      String about,
      Supplier<List<DeviceView>> devices,
      Function<String, Reading> readings,
      Duration interval,
      LongSupplier nanoClock,
      LongSupplier millisClock,
      Supplier<Optional<Trouble>> trouble,
      LongSupplier unknownMessages) {
    this.about = about;
    this.devices = devices;
    this.readings = readings;
    this.bridge = (int) interval.toMinutes() + 2;
    this.nanoClock = nanoClock;
    this.millisClock = millisClock;
    this.trouble = trouble;
    this.unknownMessages = unknownMessages;
  }

  void show(String name, Supplier<Optional<String>> problem, String fine) {
    conditions.add(new Condition(name, problem, fine));
  }

  private long minute() {
    return Math.floorDiv(nanoClock.getAsLong(), TimeUnit.MINUTES.toNanos(1));
  }

  /** Route step, at each look at the devices: keeps a value of each once a minute. */
  public void remember() {
    long minute = minute();
    for (DeviceView device : devices.get()) {
      History history = histories.computeIfAbsent(device.serial(), unused -> new History());
      if (device.shown() && !history.has(minute)) {
        remember(history, minute, readings.apply(device.serial()));
      }
    }
  }

  /** The charge, and the power of what has none. */
  private static void remember(History history, long minute, Reading reading) {
    if (reading.charge().isPresent()) {
      history.addCharge(minute, reading.charge().getAsDouble());
    } else if (reading.output().isPresent()) {
      history.addPower(minute, reading.output().getAsDouble());
    }
  }

  private Reading reading(DeviceView device) {
    return device.shown() ? readings.apply(device.serial()) : Reading.NONE;
  }

  /** For routes: what the page says now. */
  public Map<String, Object> view() {
    List<DeviceView> all = devices.get();
    Map<String, Object> view = new HashMap<>();
    view.put("about", about);
    view.put("devices", all.stream().map(this::device).toList());
    view.put("online", all.stream().filter(DeviceView::online).count());
    view.put("count", all.size());
    view.put("conditions", conditions.stream().map(LandingPage::condition).toList());
    view.put(
        "troubles",
        trouble.get().stream()
            .map(last -> Map.of("words", last.words(), "ago", ago(last.epochMillis())))
            .toList());
    long unknown = unknownMessages.getAsLong();
    view.put("unknown", unknown == 0 ? "" : Long.toString(unknown));
    return view;
  }

  private static Map<String, Object> condition(Condition condition) {
    Optional<String> problem = condition.problem().get();
    return Map.of(
        "name", condition.name(),
        "fine", problem.isEmpty(),
        "words", problem.orElse(condition.fine()));
  }

  private String ago(long epochMillis) {
    return Words.ago(millisClock.getAsLong() - epochMillis);
  }

  private Map<String, Object> device(DeviceView device) {
    Reading reading = reading(device);
    OptionalDouble charge = reading.charge();
    double share = Math.min(1, Math.max(0, charge.orElse(0)));
    Map<String, Object> view = new HashMap<>();
    view.put("name", device.labels().deviceName());
    view.put("product", device.labels().productName());
    view.put("serial", device.serial());
    view.put("isOnline", device.online());
    view.put("absence", device.absence());
    view.put("hasCharge", charge.isPresent());
    view.put("charge", charge.isPresent() ? Words.percent(charge.getAsDouble()) : "");
    view.put("bar", Math.round(100 * share));
    view.put("isLow", charge.isPresent() && share < 0.2);
    view.put("input", Words.watts(reading.input()));
    view.put("output", Words.watts(reading.output()));
    view.put("left", Words.left(reading));
    view.put(
        "updated",
        device.lastUpdateMillis().isPresent()
            ? ago(device.lastUpdateMillis().getAsLong())
            : "no value yet");
    History history = histories.get(device.serial());
    view.put("hour", history == null ? "" : history.path(minute(), bridge));
    view.put("hourOf", history != null && history.isOfCharge() ? "Charge" : "Output power");
    return view;
  }

  /** For routes: a view as HTML. */
  public String html(@Body Map<String, Object> view) {
    return template().render(view);
  }

  /** For routes: the README and the settings of the running version. */
  public byte[] manual() throws IOException {
    try (InputStream in =
        new SequenceInputStream(
            LandingPage.class.getResourceAsStream("README.md"),
            LandingPage.class.getResourceAsStream("docs/CONFIGURATION.md"))) {
      return in.readAllBytes();
    }
  }

  /** Read when the first one looks: most exporters are scraped only. */
  private synchronized Template template() {
    if (template == null) {
      template = Template.resource("page.html");
    }
    return template;
  }
}
