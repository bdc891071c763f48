package ecoflow.bench;

import ecoflow.cloud.ApiPath;
import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.SimulatedAccount;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.AccountsYaml;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Many accounts with one device each, in mode Device API. */
final class AccountsRow {

  private static final Push VALUES = Push.json(60);
  private static final double MOST = 0.95;
  private static final int SCRAPE_SECONDS = 15;

  /** Twice the time that 1,000 logins take at the default rate. */
  private static final long START_NANOS = TimeUnit.MINUTES.toNanos(70);

  private static final Map<String, String> HEAP =
      Map.of("ECOFLOW_JAVA_OPTS", "-Xmx512m", "JAVA_TOOL_OPTIONS", "-Xmx512m");

  /** The number of the next account; accounts of an earlier exporter stay in the cloud. */
  private static int next = 1;

  private final Bed bed;
  private final AccountsYaml accounts;
  private final Table table;
  private final int column;
  private final String command;

  AccountsRow(Bed bed, Path directory, Table table, int column, String command) {
    this.bed = bed;
    this.accounts = new AccountsYaml(directory.resolve("accounts-" + column + ".yml"));
    this.table = table;
    this.column = column;
    this.command = command;
  }

  /**
   * @param count number of accounts
   * @param seconds duration of the measurement of CPU time
   */
  void measure(int count, int seconds) throws Exception {
    bed.setAnswer(VALUES.quotas());
    String name = count + " accounts with one device of 60 series, 512 MB heap: ";
    double ofOneAccount = megabytesOfOneAccount(count);
    for (int i = 0; i < count; i++) {
      add();
    }
    accounts.write();
    try (Exporter exporter = Exporter.start(bed, command, "", variables())) {
      int most = (int) Math.ceil(count * MOST);
      long shown = awaitValues(exporter, most);
      table.add(
          name + "start until 95 % show values s",
          column,
          secondsFrom(exporter.startedAt(), shown));
      awaitValues(exporter, count);
      awaitConnected(exporter, count);
      double cpu = cpuPerMinute(exporter, seconds);
      double megabytes = exporter.rssMegabytes();
      table.add(name + "CPU s per minute, with a scrape every 15 s", column, cpu);
      table.add(name + "RSS MB", column, megabytes);
      table.add(
          name + "RSS kB per account, in addition to one account with these devices",
          column,
          (megabytes - ofOneAccount) * 1024 / count);
      table.add(name + "threads", column, exporter.threads());

      int logins = bed.cloud().requests(ApiPath.LOGIN).size();
      long killed = System.nanoTime();
      bed.restartBroker();
      exporter.await("lost connection", 50, page -> page.sum("mqtt_connected") < count);
      long back = awaitConnected(exporter, most);
      table.add(
          name + "broker restart until 95 % are connected s", column, secondsFrom(killed, back));
      awaitConnected(exporter, count);
      table.add(
          name + "logins because of that",
          column,
          bed.cloud().requests(ApiPath.LOGIN).size() - logins);

      String added = add();
      long edited = System.nanoTime();
      accounts.write();
      table.add(
          name + "new account until its first value s",
          column,
          secondsFrom(edited, awaitAccount(exporter, added)));
    }
  }

  /** Adds an account with a device to the file, which is not written yet, and returns its name. */
  private String add() {
    int number = next++;
    String name = "account-" + number;
    SimulatedAccount account =
        bed.cloud()
            .addAccount(CloudAccount.numbered(number))
            .add(new SimulatedDevice(serial(number), name, "DELTA 2", WireFormat.JSON));
    accounts.add(name, "device", account);
    return name;
  }

  private static String serial(int number) {
    return "R331ZACCT%07d".formatted(number);
  }

  /** The environment has the credentials of one account, and an empty variable counts as unset. */
  private Map<String, String> variables() {
    Map<String, String> variables = new HashMap<>(HEAP);
    variables.put("ECOFLOW_ACCOUNTS_FILE", accounts.file().toString());
    variables.put("ECOFLOW_ACCOUNT_USER", "");
    variables.put("ECOFLOW_ACCOUNT_PASSWORD", "");
    return variables;
  }

  private double megabytesOfOneAccount(int devices) throws Exception {
    String serials =
        IntStream.range(0, devices).mapToObj(AccountsRow::serial).collect(Collectors.joining(","));
    try (Exporter exporter = Exporter.start(bed, command, serials, HEAP)) {
      awaitValues(exporter, devices);
      cpuPerMinute(exporter, 2 * SCRAPE_SECONDS);
      return exporter.rssMegabytes();
    }
  }

  private static double cpuPerMinute(Exporter exporter, int seconds) throws Exception {
    double before = exporter.cpuSeconds();
    for (int second = 0; second < seconds; second++) {
      if (second % SCRAPE_SECONDS == 0) {
        Macro.check(Scraper.once(exporter.port(), false, false));
      }
      Benchmark.pause(1);
    }
    return (exporter.cpuSeconds() - before) * 60 / seconds;
  }

  private static long awaitValues(Exporter exporter, int devices) throws InterruptedException {
    return exporter.await(
        "values of " + devices + " devices",
        200,
        5_000,
        START_NANOS,
        page -> page.count(VALUES.series()) >= devices);
  }

  private static long awaitConnected(Exporter exporter, int connections)
      throws InterruptedException {
    return exporter.await(
        connections + " connections", 200, page -> page.sum("mqtt_connected") >= connections);
  }

  private static long awaitAccount(Exporter exporter, String name)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
    while (System.nanoTime() < end) {
      Scraper.Page page = Scraper.account(exporter.port(), name);
      if (page.status() == 200 && page.value(VALUES.series()).isPresent()) {
        return System.nanoTime();
      }
      Benchmark.pause(0.05);
    }
    throw new IllegalStateException("no value of " + name);
  }

  private static double secondsFrom(long start, long end) {
    return (end - start) / 1e9;
  }
}
