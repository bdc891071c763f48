package ecoflow.history;

import ecoflow.account.Account;
import ecoflow.account.PerAccount;
import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.text.Lines;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The energy that EcoFlow counted, bean {@code energyHistory}: the calls of each account that are
 * due, and the values of today and yesterday.
 */
public final class EnergyHistory {

  private static final Logger LOG = LoggerFactory.getLogger(EnergyHistory.class);
  private static final String REQUEST = "historyRequest";
  private static final String PATH = "apiPath";
  private static final String HISTORY = "Energy history";
  private static final Duration REFUSED = Duration.ofDays(1);

  private final Devices devices;
  private final Api api;
  private final Meters meters;
  private final UnaryOperator<String> familyOf;
  private final Optional<ReportedEnergy> reported;
  private final LongSupplier nanoClock;
  private final Lines lines;
  private final PerAccount<AtomicBoolean> inProgress =
      new PerAccount<>(account -> new AtomicBoolean());

  /** The times until which no calls are made, by serial number and code. */
  private final Map<String, Long> refusedUntil = new ConcurrentHashMap<>();

  private final Map<String, String> lastWarnings = new ConcurrentHashMap<>();

  /**
   * @param familyOf returns the model family of a device by its serial number
   * @param interval the interval of the calls; empty if the values are not shown
   * @param clock in the time zone of the devices
   */
  public EnergyHistory(
      Devices devices,
      Api api,
      Meters meters,
      UnaryOperator<String> familyOf,
      Optional<Duration> interval,
      Clock clock,
      LongSupplier nanoClock) {
    this.devices = devices;
    this.api = api;
    this.meters = meters;
    this.familyOf = familyOf;
    // One failed call is tolerated.
    this.reported =
        interval.map(
            every -> new ReportedEnergy(every.multipliedBy(2).plusMinutes(1), clock, nanoClock));
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
    reported.ifPresent(
        values ->
            meters.registerReportedEnergy(
                receiver -> {
                  values.removeDevices(serial -> !devices.isServed(serial));
                  values.current(
                      (serial, what, day, joules) ->
                          receiver.accept(devices.labels(serial), what, day, joules));
                }));
  }

  /** The codes of a device; empty if EcoFlow has no history of its model. */
  public List<String> codes(String serial) {
    return HistoryCodes.packaged().of(familyOf.apply(serial));
  }

  /** Route step: stops the route if calls of the account are already in progress. */
  public void start(Exchange exchange) {
    if (!inProgress.of(Account.of(exchange)).compareAndSet(false, true)) {
      exchange.setRouteStop(true);
    }
  }

  /** Route step: records that the calls of the account have ended. */
  public void end(@Variable(Account.VARIABLE) Account account) {
    inProgress.of(account).set(false);
  }

  /**
   * The calls of an account: today and yesterday for each code of its devices. Those of yesterday
   * are repeated, because EcoFlow can receive values late.
   */
  public List<HistoryRequest> due(@Variable(Account.VARIABLE) Account account) {
    LocalDate today = reported.orElseThrow().today();
    return devices.all(account).stream()
        .filter(device -> !device.missing())
        .map(DeviceView::serial)
        .flatMap(
            serial ->
                codes(serial).stream()
                    .filter(code -> !isRefused(serial + " " + code))
                    .flatMap(
                        code ->
                            Stream.of(today, today.minusDays(1))
                                .map(day -> new HistoryRequest(serial, code, day))))
        .toList();
  }

  private boolean isRefused(String key) {
    Long until = refusedUntil.get(key);
    return until != null && nanoClock.getAsLong() - until < 0;
  }

  /**
   * Route step: stores the values of an answer.
   *
   * @throws CloudException if the data of the answer reports an error
   */
  public void accept(Exchange exchange) throws CloudException {
    HistoryRequest request = exchange.getProperty(REQUEST, HistoryRequest.class);
    HistoryAnswer answer = HistoryAnswer.of(exchange.getMessage().getBody(), request.code());
    reported.orElseThrow().put(request, answer.joules());
    Account account = Account.of(exchange);
    receivedAgain(account.prefix() + HISTORY);
    String subject = subject(account, request);
    if (answer.problems().isEmpty()) {
      receivedAgain(subject);
      return;
    }
    answer.problems().forEach(problem -> meters.reportedEnergyRejected(problem.reason()));
    List<String> texts = answer.problems().stream().map(HistoryAnswer.Problem::text).toList();
    lines.warnOnChange(
        lastWarnings,
        subject,
        subject + ": " + Lines.abbreviate(texts) + "; these values have no series");
  }

  private void receivedAgain(String subject) {
    if (lastWarnings.remove(subject) != null) {
      LOG.info("{} received again", subject);
    }
  }

  /** Route step: handles a failed call. The values remain until they are too old. */
  public void failed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    if (api.isPause(failure)) {
      // The start of the pause has been logged.
      return;
    }
    Account account = Account.of(exchange);
    HistoryRequest request = exchange.getProperty(REQUEST, HistoryRequest.class);
    String subject = subject(account, request);
    if (failure instanceof CloudException cloud && cloud.isDeviceOffline()) {
      LOG.debug("{}: the device is offline", subject);
      return;
    }
    String reason = api.failed(account, failure, exchange.getProperty(PATH, String.class));
    if (!(failure instanceof CloudException cloud) || !cloud.isAboutDevice()) {
      // The same for each call of the account.
      subject = account.prefix() + HISTORY;
      api.recordFailure(account, HISTORY + ": " + reason);
    } else if (cloud.isDeviceForbidden()) {
      refusedUntil.put(
          request.serial() + " " + request.code(), nanoClock.getAsLong() + REFUSED.toNanos());
      reason += "; next attempt in " + REFUSED.toHours() + " h";
    }
    lines.warnOnChange(lastWarnings, subject, subject + " not received: " + reason);
  }

  private static String subject(Account account, HistoryRequest request) {
    return account.prefix()
        + HISTORY
        + " of device "
        + request.serial()
        + " ("
        + request.code()
        + ")";
  }
}
