package ecoflow;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.Accounts.Changes;
import ecoflow.account.Schedules;
import ecoflow.api.Api;
import ecoflow.config.AccountSettings;
import ecoflow.config.AccountsFile;
import ecoflow.config.ConfigException;
import ecoflow.config.MqttSettings;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.mqtt.Mqtt;
import ecoflow.runtime.OutOfMemory;
import ecoflow.text.Lines;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies changes of the accounts file. While the file is not valid, the previous accounts remain.
 */
final class AccountsReload implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(AccountsReload.class);
  private static final long CHECK_MILLIS = 2_000;

  /** A file that does not change for this time is complete. */
  private static final long UNCHANGED_MILLIS = 500;

  private final AccountsFile file;
  private final Accounts accounts;
  private final Schedules schedules;
  private final Api api;
  private final Mqtt mqtt;
  private final Consumer<Account> forgetLogin;
  private final Consumer<Account> forgetDevices;
  private final Devices devices;
  private final Meters meters;
  private volatile Optional<String> problem = Optional.empty();

  /** A separate thread, because a read from an unresponsive network share can block forever. */
  private final ScheduledThreadPoolExecutor watcher =
      new ScheduledThreadPoolExecutor(1, AccountsReload::thread);

  /**
   * @param forgetLogin forgets the results of calls with the previous credentials of an account
   * @param forgetDevices forgets the device list of an account
   */
  AccountsReload(
      AccountsFile file,
      Accounts accounts,
      Schedules schedules,
      Api api,
      Mqtt mqtt,
      Consumer<Account> forgetLogin,
      Consumer<Account> forgetDevices,
      Devices devices,
      Meters meters) {
    this.file = file;
    this.accounts = accounts;
    this.schedules = schedules;
    this.api = api;
    this.mqtt = mqtt;
    this.forgetLogin = forgetLogin;
    this.forgetDevices = forgetDevices;
    this.devices = devices;
    this.meters = meters;
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "accounts-file");
    thread.setDaemon(true);
    return thread;
  }

  void start() {
    schedule(CHECK_MILLIS);
  }

  private void schedule(long millis) {
    try {
      watcher.schedule(this::checkAgain, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // Closed in the meantime.
    }
  }

  private void checkAgain() {
    check();
    schedule(file.isChanging() ? UNCHANGED_MILLIS : CHECK_MILLIS);
  }

  /** The error in the changed file; empty if the accounts are those of the file. */
  Optional<String> problem() {
    return problem;
  }

  private void check() {
    try {
      if (file.needsRead()) {
        apply(file.read());
        problem = Optional.empty();
      }
    } catch (ConfigException e) {
      problem = Optional.of("the changed accounts file is not used: " + e.getMessage());
      LOG.error("{}; the previous accounts remain", e.getMessage());
    } catch (RuntimeException e) {
      // The next change is applied nevertheless.
      LOG.error("Failed to apply the accounts file: {}", Lines.root(e));
      LOG.debug("Stack trace", e);
    } catch (OutOfMemoryError e) {
      OutOfMemory.endIf(e);
    }
  }

  private void apply(List<AccountSettings> settings) {
    Changes changes = accounts.update(settings);
    // Before the other ones, which can get the devices of removed accounts.
    each(changes.removed(), mqtt::close);
    each(changes.removed(), forgetLogin);
    each(changes.removed(), schedules::remove);
    each(changes.removed(), account -> devices.remove(account).forEach(mqtt::deviceAdded));
    api.remove(changes.removed());
    meters.remove(changes.removed());
    each(changes.before().keySet(), account -> change(changes.before().get(account), account));
    each(changes.added(), this::add);
    devices.reorder().forEach(mqtt::deviceAdded);
    List<String> parts = new ArrayList<>();
    addPart(parts, "added", changes.added());
    addPart(parts, "removed", changes.removed());
    addPart(parts, "changed", changes.before().keySet());
    LOG.info(
        "Accounts file read again: {}",
        parts.isEmpty() ? "no account changed" : String.join("; ", parts));
  }

  private static void addPart(List<String> parts, String what, Collection<Account> some) {
    if (!some.isEmpty()) {
      parts.add(what + " " + Lines.abbreviate(some.stream().map(Account::name).toList()));
    }
  }

  /** Applies a step to each account; the failure of one does not affect the others. */
  private void each(Collection<Account> some, Consumer<Account> step) {
    for (Account account : some) {
      try {
        step.accept(account);
      } catch (RuntimeException e) {
        meters.accountChangeFailed();
        LOG.error(
            "{}Failed to apply its change in the accounts file: {}; the changes of other accounts"
                + " are applied",
            account.prefix(),
            Lines.root(e));
        LOG.debug("Stack trace", e);
      }
    }
  }

  private void add(Account account) {
    devices.addConfigured(account);
    schedules.add(account);
    api.add(account);
  }

  private void change(AccountSettings before, Account account) {
    devices.update(account).forEach(mqtt::deviceAdded);
    // With changed intervals.
    schedules.remove(account);
    schedules.add(account);
    Settings old = before.settings();
    Settings now = account.settings();
    boolean needsLogin = needsLogin(old, now);
    boolean hasOtherDevices = !old.devices().serials().equals(now.devices().serials());
    if (needsLogin) {
      forgetLogin.accept(account);
      api.forget(account);
    }
    if (needsLogin || hasOtherDevices) {
      forgetDevices.accept(account);
    }
    // The client ID depends on the devices.
    if (account.mode().usesMqtt()
        && (needsLogin || hasOtherDevices || hasOtherConnection(old.mqtt(), now.mqtt()))) {
      mqtt.reconnect(account, needsLogin);
    }
  }

  private static boolean needsLogin(Settings old, Settings now) {
    return !old.credentials().equals(now.credentials())
        || !old.http().hosts().equals(now.http().hosts());
  }

  /** Whether the settings of the connection differ, rather than intervals. */
  private static boolean hasOtherConnection(MqttSettings old, MqttSettings now) {
    return !old.clientId().equals(now.clientId())
        || !old.keepalive().equals(now.keepalive())
        || !old.credentialsLife().equals(now.credentialsLife());
  }

  @Override
  public void close() {
    watcher.shutdownNow();
  }
}
