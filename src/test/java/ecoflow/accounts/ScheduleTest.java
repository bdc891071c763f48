package ecoflow.accounts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.Schedule;
import ecoflow.config.AccountSettings;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScheduleTest {

  private static final Duration INTERVAL = Duration.ofSeconds(10);

  private long nanos = Long.MAX_VALUE - 5;
  private final Accounts accounts;
  private final Schedule schedule = new Schedule(account -> true, account -> INTERVAL, () -> nanos);

  ScheduleTest() throws ConfigException {
    Settings settings =
        Settings.from(
            Map.of(
                "ECOFLOW_ACCESS_KEY", "key",
                "ECOFLOW_SECRET_KEY", "secret",
                "ECOFLOW_DEVICE_SN", "all"));
    List<AccountSettings> all = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      all.add(new AccountSettings("account-" + i, Map.of(), settings));
    }
    accounts = new Accounts(all);
  }

  @Test
  void accountsAreSpreadOverTheInterval() {
    accounts.all().forEach(schedule::add);
    Map<Account, Integer> times = new HashMap<>();
    for (int tenth = 0; tenth < 100; tenth++) {
      nanos += Duration.ofMillis(100).toNanos();
      List<Account> due = schedule.takeDue();
      assertTrue(due.size() >= 8 && due.size() <= 12, () -> due.size() + " in 100 ms");
      due.forEach(account -> times.merge(account, 1, Integer::sum));
    }
    assertEquals(1000, times.size());
    assertTrue(times.values().stream().allMatch(count -> count == 1));
  }

  @Test
  void missedTimesAreSkipped() {
    schedule.add(accounts.all().get(0));
    assertEquals(List.of(), schedule.takeDue());
    nanos += INTERVAL.multipliedBy(5).toNanos();
    assertEquals(1, schedule.takeDue().size());
    assertEquals(0, schedule.takeDue().size());
    nanos += INTERVAL.toNanos();
    assertEquals(1, schedule.takeDue().size());
  }

  @Test
  void removedAccountIsNotDue() {
    schedule.add(accounts.all().get(0));
    schedule.add(accounts.all().get(1));
    schedule.remove(accounts.all().get(0));
    nanos += INTERVAL.toNanos();
    assertEquals(List.of(accounts.all().get(1)), schedule.takeDue());
  }

  @Test
  void withoutAnIntervalAnAccountIsAlwaysDue() {
    Schedule always = new Schedule(account -> true, account -> Duration.ZERO, () -> nanos);
    always.add(accounts.all().get(0));
    for (int i = 0; i < 3; i++) {
      assertEquals(1, always.takeDue().size());
    }
  }
}
