package ecoflow.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShardTest {

  private static final List<String> NAMES =
      IntStream.range(0, 10_000).mapToObj(number -> "account-" + number).toList();

  /** The number of names in each shard. */
  private static List<Integer> sizes(int shards) {
    int[] sizes = new int[shards];
    NAMES.forEach(name -> sizes[shardOf(name, shards)]++);
    return IntStream.of(sizes).boxed().toList();
  }

  private static int shardOf(String name, int shards) {
    return new Shard(0, shards).of(name).number();
  }

  /**
   * The expected numbers are from a Python implementation that was checked with the test vectors of
   * FNV-1a and of the jump consistent hash.
   */
  @ParameterizedTest
  @CsvSource({
    "berlin-17, 8, 5",
    "berlin-17, 1000, 924",
    "keys, 1000, 95",
    "a, 1000, 163",
    "A.b_c-D, 1000, 919",
    "house-1, 1000, 589",
    "house-2, 1000, 763",
    "house-2, 1, 0"
  })
  void shardOfNameNeverChanges(String name, int shards, int expected) {
    assertEquals(expected, shardOf(name, shards));
  }

  @Test
  void accountsAreDividedEvenly() {
    assertEquals(List.of(1251, 1290, 1230, 1281, 1207, 1271, 1252, 1218), sizes(8));
    assertEquals(List.of(1104, 1150, 1112, 1115, 1080, 1126, 1128, 1087, 1098), sizes(9));
  }

  @Test
  void ninthShardReceivesNinthOfTheAccounts() {
    List<String> moved =
        NAMES.stream().filter(name -> shardOf(name, 8) != shardOf(name, 9)).toList();
    assertEquals(1098, moved.size());
    assertTrue(moved.stream().allMatch(name -> shardOf(name, 9) == 8));
  }

  @Test
  void eachAccountIsServedByOneShard() {
    for (String name : NAMES.subList(0, 100)) {
      assertEquals(
          1, IntStream.range(0, 8).filter(number -> new Shard(number, 8).serves(name)).count());
    }
  }

  @Nested
  class InTheEnvironment {

    @TempDir private Path directory;
    private final Map<String, String> variables = new HashMap<>();
    private Path file;

    @BeforeEach
    void createFile() throws IOException {
      file = directory.resolve("accounts.yml");
      write(NAMES.subList(0, 100));
      variables.put("ECOFLOW_ACCOUNTS_FILE", file.toString());
    }

    private void write(List<String> names) throws IOException {
      Files.writeString(
          file,
          names.stream()
              .map(name -> "- {name: " + name + ", user: " + name + ", password: p}\n")
              .collect(Collectors.joining("", "accounts:\n", "")));
    }

    private List<String> served(String shard) throws ConfigException {
      variables.put("ECOFLOW_SHARD", shard);
      return names(Configuration.from(variables).accounts());
    }

    private static List<String> names(List<AccountSettings> accounts) {
      return accounts.stream().map(AccountSettings::name).toList();
    }

    private String error() {
      String message =
          assertThrows(ConfigException.class, () -> Configuration.from(variables)).getMessage();
      assertFalse(message.contains("\n"), message);
      return message;
    }

    private String shown() throws ConfigException {
      return Settings.explain(variables).stream()
          .filter(variable -> variable.name().equals("ECOFLOW_SHARD"))
          .map(variable -> variable.value() + " from " + variable.source())
          .findFirst()
          .orElseThrow();
    }

    @Test
    void allAccountsAreServedWithoutShard() throws ConfigException {
      assertEquals(NAMES.subList(0, 100), served(""));
      assertEquals(Optional.empty(), Configuration.from(variables).process().shard());
      assertEquals("- from default", shown());
    }

    @Test
    void eachShardServesItsAccountsInTheOrderOfTheFile() throws ConfigException {
      List<String> all = new ArrayList<>();
      for (int number = 0; number < 8; number++) {
        Shard shard = new Shard(number, 8);
        List<String> served = served(number + "/8");
        assertEquals(NAMES.subList(0, 100).stream().filter(shard::serves).toList(), served);
        assertEquals(
            served,
            Configuration.explain(variables).stream()
                .map(Configuration.Explanation::name)
                .toList());
        all.addAll(served);
      }
      assertEquals(100, all.size());
    }

    @Test
    void shardServesItsAccountsAfterReload() throws Exception {
      variables.put("ECOFLOW_SHARD", "2/8");
      AccountsFile accounts = Configuration.from(variables).file().orElseThrow();
      Shard shard = new Shard(2, 8);
      write(NAMES.subList(50, 300));

      assertEquals(
          NAMES.subList(50, 300).stream().filter(shard::serves).toList(), names(accounts.read()));
      assertEquals(names(accounts.accounts()), names(accounts.read()));

      write(NAMES.stream().filter(name -> !shard.serves(name)).limit(10).toList());
      assertEquals(List.of(), accounts.read());
    }

    @Test
    void shardCanBeEmpty() throws Exception {
      // In shard 5 of 8.
      write(List.of("berlin-17"));
      assertEquals(List.of("berlin-17"), served("5/8"));
      assertEquals(List.of(), served("2/8"));
    }

    @Test
    void mistakeInAnotherShardIsReported() throws Exception {
      Files.writeString(file, "accounts: [{name: berlin-17}]");
      variables.put("ECOFLOW_SHARD", "2/8");
      String message = error();
      variables.put("ECOFLOW_SHARD", "5/8");
      assertEquals(message, error());
      assertTrue(message.startsWith(file + ":1: "), message);
    }

    @ParameterizedTest
    @CsvSource({
      "ecoflow-exporter-2, 2/8",
      "ecoflow-exporter-0, 0/8",
      "a-7.fleet-3.svc.cluster.local, 7/8",
      "2024-07-01-5, 5/8"
    })
    void numberIsTheOrdinalInTheHostName(String host, String expected) throws ConfigException {
      variables.put("HOSTNAME", host);
      List<String> served = served("auto/8");
      assertEquals("%s from environment, auto from the host name".formatted(expected), shown());
      assertEquals(served(expected), served);
      assertEquals(expected + " from environment", shown());
    }

    @Test
    void hostNameOfTheMachineIsTheDefault() throws UnknownHostException {
      variables.put("ECOFLOW_SHARD", "auto/8");
      String result = result();
      assertTrue(result.contains("the host name"), result);
      variables.put("HOSTNAME", InetAddress.getLocalHost().getHostName());
      assertEquals(result().replace("HOSTNAME=", "the host name="), result);
    }

    /** The output of config, or its error if the host name has no ordinal. */
    private String result() {
      try {
        return shown();
      } catch (ConfigException e) {
        return e.getMessage();
      }
    }

    @ParameterizedTest
    @CsvSource({
      "ecoflow-exporter-8",
      "ecoflow",
      "ecoflow-",
      "ecoflow-x",
      "2",
      "ecoflow-99999999999",
      "fleet.svc-2.local"
    })
    void hostNameWithoutOrdinalIsReported(String host) {
      variables.put("ECOFLOW_SHARD", "AUTO/8");
      variables.put("HOSTNAME", host);
      assertEquals(
          "ECOFLOW_SHARD=auto/8: HOSTNAME=%s is not valid: expected a name with an ordinal, NAME-0 to NAME-7"
              .formatted(host),
          error());
    }

    @ParameterizedTest
    @CsvSource({"8/8", "2", "-1/8", "0/0", "1/1001", "a/8", "2/8/1", "auto", "auto/", "2 / 8"})
    void invalidValueIsReported(String value) {
      variables.put("ECOFLOW_SHARD", value);
      String message = error();
      assertTrue(
          message.startsWith("ECOFLOW_SHARD=%s is not valid: expected ".formatted(value)), message);
      assertTrue(message.contains("0/8 to 7/8"), message);
    }

    @Test
    void accountsFileIsRequired() {
      variables.remove("ECOFLOW_ACCOUNTS_FILE");
      variables.put("ECOFLOW_SHARD", "2/8");
      assertEquals(
          "ECOFLOW_SHARD=2/8 requires ECOFLOW_ACCOUNTS_FILE, because the accounts of that file are"
              + " divided among the shards",
          error());
      variables.put("ECOFLOW_ACCOUNT_USER", "u");
      variables.put("ECOFLOW_ACCOUNT_PASSWORD", "p");
      variables.put("ECOFLOW_DEVICE_SN", "all");
      assertTrue(error().startsWith("ECOFLOW_SHARD=2/8 requires "), error());
    }
  }
}
