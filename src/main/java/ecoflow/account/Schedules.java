package ecoflow.account;

import ecoflow.config.Settings.Mode;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.camel.spi.Registry;

/** The schedules of all accounts, one for each timer route. */
public final class Schedules {

  private static final Duration LIST_CHECK = Duration.ofSeconds(30);
  private static final Duration DEVICE_SEARCH = Duration.ofMinutes(10);

  private final Map<String, Schedule> byBean = new LinkedHashMap<>();
  private final boolean areNamed;
  private final LongSupplier nanoClock;

  public Schedules(Accounts accounts, LongSupplier nanoClock) {
    this.areNamed = accounts.areNamed();
    this.nanoClock = nanoClock;
    Predicate<Account> usesMqtt = account -> account.mode().usesMqtt();
    Predicate<Account> isAppAccount = account -> account.mode().usesAccount();
    add(
        "pollTimes",
        isAppAccount.negate(),
        account -> account.settings().devices().collectingInterval());
    add(
        "requestTimes",
        account -> account.mode() == Mode.DEVICE,
        account -> account.settings().mqtt().requestInterval());
    add("idleChecks", usesMqtt, account -> account.settings().mqtt().idleCheckInterval());
    add("subscriptionRetries", usesMqtt, account -> account.settings().http().pause());
    add("listChecks", isAppAccount, account -> LIST_CHECK);
    add("deviceSearches", isAppAccount, account -> DEVICE_SEARCH);
    add(
        "historyTimes",
        account -> historyInterval(account).isPresent() && !account.mode().usesAccount(),
        account -> historyInterval(account).orElseThrow());
    accounts.all().forEach(this::add);
  }

  private static Optional<Duration> historyInterval(Account account) {
    return account.settings().devices().historyInterval();
  }

  private void add(
      String bean, Predicate<Account> needsTask, Function<Account, Duration> interval) {
    // The timers of a single account have the interval itself.
    byBean.put(
        bean, new Schedule(needsTask, areNamed ? interval : account -> Duration.ZERO, nanoClock));
  }

  public void bind(Registry registry) {
    byBean.forEach(registry::bind);
  }

  public void add(Account account) {
    byBean.values().forEach(schedule -> schedule.add(account));
  }

  public void remove(Account account) {
    byBean.values().forEach(schedule -> schedule.remove(account));
  }
}
