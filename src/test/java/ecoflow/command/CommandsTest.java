package ecoflow.command;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.cloud.ApiPath.OPEN_CERTIFICATION;
import static ecoflow.cloud.ApiPath.QUOTA;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.CommandRun;
import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.CloudOptions;
import ecoflow.cloud.Fault;
import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that call the cloud, with failures of a simulated cloud. */
class CommandsTest {

  private static final String SERIAL = "R331ZCOMMAND0001";

  private final SimulatedDevice device =
      new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON).set(Map.of("pd.soc", 81));

  @RegisterExtension final CloudExtension clouds = new CloudExtension(device);

  @TempDir private Path directory;
  private Clock clock = Clock.systemUTC();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private SimulatedCloud otherRegion;

  @AfterEach
  void closeTheOtherRegion() {
    if (otherRegion != null) {
      otherRegion.close();
    }
  }

  private Map<String, String> variables(String mode, String... more) {
    Map<String, String> all = Variables.of(clouds.cloud(), mode, more);
    all.putIfAbsent("EXPORTER_PORT", "" + Ports.next());
    return all;
  }

  private int run(Map<String, String> variables, String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    int code = CommandRun.run(variables, clock, out, err, arguments);
    assertNoSecret();
    return code;
  }

  private void assertNoSecret() {
    SimulatedCloud cloud = clouds.cloud();
    CloudAccount account = cloud.account();
    String password = account.password();
    Stream.of(
            account.accessKey(),
            account.secretKey(),
            password,
            Base64.getEncoder().encodeToString(password.getBytes(StandardCharsets.UTF_8)),
            account.email(),
            account.userId(),
            cloud.certificatePassword(),
            cloud.certificateAccount(),
            cloud.openAccount(),
            "ANDROID_",
            "token-")
        .forEach(
            secret -> assertFalse((out.toString() + err).contains(secret), () -> out + secret));
  }

  /** The output of check without the result of the port, with runs of spaces collapsed. */
  private List<String> findings() {
    assertEquals("", err.toString());
    return out.toString()
        .lines()
        .map(line -> line.replaceAll(" +", " "))
        .filter(line -> !line.startsWith("ok port "))
        .map(line -> line.replaceAll("after \\d+ s$", "after N s"))
        .map(line -> line.replaceAll("\\([01] s (ahead|behind)\\)$", "(N s)"))
        .map(line -> line.replaceAll("localhost:\\d+", "localhost:PORT"))
        .toList();
  }

  private List<String> findings(String start) {
    return findings().stream().filter(line -> line.startsWith(start)).toList();
  }

  @Nested
  class DevicesCommand {

    @ParameterizedTest
    @CsvSource({
      "rest, JSON, JSON",
      "open, JSON, JSON",
      "mqtt, known, unknown model",
      "device, known, unknown model"
    })
    void devicesListsAllDevicesOfTheAccount(String mode, String decoder, String other) {
      SimulatedDevice off = new SimulatedDevice("ZZ99ZCOMMAND0002", "Shed", null, WireFormat.JSON);
      off.setOnline(false);
      clouds.cloud().add(off);

      // ECOFLOW_DEVICE_SN does not limit the list.
      assertEquals(0, run(variables(mode, "ECOFLOW_DEVICE_SN=" + SERIAL), "devices"));

      assertEquals(
          List.of(
              "SERIAL            NAME    PRODUCT  ONLINE  DECODER",
              SERIAL + "  Garage  DELTA 2  yes     " + decoder,
              "ZZ99ZCOMMAND0002  Shed    Unknown  no      " + other),
          out.toString().lines().toList());
      assertEquals("", err.toString());
      assertEquals(List.of(), clouds.cloud().connects(), "no connection");
      assertEquals(List.of(), clouds.cloud().requests(QUOTA));
    }

    @Test
    void devicesDoesNotRequireSerialNumbers() {
      assertEquals(0, run(variables("rest", "ECOFLOW_DEVICE_SN="), "devices"));
      assertTrue(out.toString().contains(SERIAL), out.toString());
    }

    @Test
    void devicesReportsAFailureInOneLine() {
      for (String mode : List.of("rest", "device")) {
        clouds.cloud().faults().always(DEVICE_LIST, Fault.status(503));
        clouds.cloud().faults().always(ACCOUNT_DEVICES, Fault.malformedBody());
        assertEquals(1, run(variables(mode), "devices"));
        assertEquals("", out.toString());
        assertEquals(
            mode.equals("rest")
                ? "ecoflow-exporter: HTTP 503 on "
                    + DEVICE_LIST
                    + ": EcoFlow has a failure: try again later"
                : "ecoflow-exporter: the response is not JSON on "
                    + ACCOUNT_DEVICES
                    + ": check ECOFLOW_API_HOST, and whether a proxy answers instead of EcoFlow",
            err.toString().strip());
      }
      clouds.cloud().stopHttp();
      assertEquals(1, run(variables("device"), "devices"));
      assertEquals(
          "ecoflow-exporter: connection refused or host unreachable on "
              + LOGIN
              + ": check the network and the firewall, and try again",
          err.toString().strip());
    }

    @Test
    void invalidConfigurationIsReportedInOneLine() throws Exception {
      for (String command : List.of("config", "devices", "check")) {
        Map<String, String> bad = variables("rest", "HTTP_RETRIES=many");
        assertEquals(2, run(bad, command));
        assertEquals("", out.toString());
        assertEquals(
            "ecoflow-exporter: HTTP_RETRIES=many is not valid: expected a whole number from 0 to 100",
            err.toString().strip());
      }
      Path empty = Files.createFile(directory.resolve("empty.pem"));
      for (String command : List.of("devices", "check")) {
        assertEquals(2, run(variables("rest", "ECOFLOW_CA_FILE=" + empty), command));
        assertTrue(
            err.toString()
                .startsWith("ecoflow-exporter: ECOFLOW_CA_FILE=" + empty + " is not valid"),
            err.toString());
      }
      Path web = Files.writeString(directory.resolve("web.yml"), "nonsense: 1");
      for (String host : List.of(clouds.cloud().apiHost(), "nowhere.invalid")) {
        String file = "ECOFLOW_WEB_CONFIG_FILE=" + web;
        assertEquals(2, run(variables("rest", file, "ECOFLOW_API_HOST=" + host), "check"));
        assertEquals("", out.toString());
        assertTrue(
            err.toString().startsWith("ecoflow-exporter: " + file + " is not valid"),
            err.toString());
      }
    }
  }

  @Nested
  class CheckCommand {

    @Test
    void checkSucceedsWithValidKeys() {
      assertEquals(0, run(variables("rest"), "check"));
      assertEquals(
          List.of(
              "ok settings mode rest, devices all",
              "ok dns localhost is 127.0.0.1",
              "ok https localhost answers",
              "ok clock correct (N s)",
              "ok keys EcoFlow accepts the developer keys",
              "ok device " + SERIAL + " (DELTA 2) is online",
              "ok values " + SERIAL + " sent values after N s"),
          findings().stream().map(line -> line.replaceAll("127.0.0.1, .*", "127.0.0.1")).toList());
      assertEquals(1, clouds.cloud().requests(DEVICE_LIST).size());
      assertEquals(1, clouds.cloud().requests(QUOTA).size());
    }

    @Test
    void checkSucceedsWithAValidAccount() {
      assertEquals(0, run(variables("device", "ECOFLOW_DEVICE_SN=" + SERIAL), "check"));
      assertEquals(
          List.of(
              "ok login EcoFlow accepts the account",
              "ok device " + SERIAL + " (DELTA 2) is online",
              "ok broker localhost:PORT accepts the login",
              "ok subscription the broker accepts the subscriptions",
              "ok values " + SERIAL + " sent values after N s"),
          findings().stream().skip(4).toList());
      assertEquals(1, clouds.cloud().requests(LOGIN).size());
      assertEquals(1, clouds.cloud().requests(CERTIFICATION).size());
      assertEquals(1, clouds.cloud().connects().size());
      assertTrue(
          clouds.cloud().messages().stream()
              .allMatch(message -> message.topic().endsWith("/thing/property/get")),
          "it only reads");
    }

    @Test
    void checkAlsoTestsTheConnectionForPushes() {
      assertEquals(0, run(variables("open"), "check"));
      assertEquals(
          List.of(
              "ok keys EcoFlow accepts the developer keys",
              "ok device " + SERIAL + " (DELTA 2) is online",
              "ok broker localhost:PORT accepts the login",
              "ok subscription the broker accepts the subscriptions",
              "ok values " + SERIAL + " sent values after N s"),
          findings().stream().skip(4).toList());
      assertEquals(1, clouds.cloud().requests(OPEN_CERTIFICATION).size());
      assertEquals(1, clouds.cloud().connects().size());
      assertEquals(
          Set.of("quota", "status"),
          clouds.cloud().subscriptions().stream()
              .map(topic -> topic.substring(topic.lastIndexOf('/') + 1))
              .collect(Collectors.toSet()));
      assertEquals(List.of(), clouds.cloud().messages());

      clouds.cloud().setOpenRefused(true);
      assertEquals(1, run(variables("open"), "check"));
      assertEquals(1, findings("FAILED").size(), findings()::toString);
      assertTrue(findings("FAILED").get(0).startsWith("FAILED broker "), findings()::toString);
    }

    /** Each fault results in one line and the exit code 1. */
    @Test
    void checkReportsEachFault() {
      SimulatedCloud cloud = clouds.cloud();
      Map<String, String> good = variables("device");

      Map<String, String> wrong = new HashMap<>(good);
      wrong.put("ECOFLOW_ACCOUNT_PASSWORD", "wrong");
      assertEquals(1, run(wrong, "check"));
      assertEquals(
          List.of(
              "FAILED login EcoFlow refuses the account (code 2026): ECOFLOW_ACCOUNT_USER or ECOFLOW_ACCOUNT_PASSWORD is wrong"
                  + " (logins with Google or Apple have no password)"),
          findings("FAILED"));

      cloud.faults().next(ACCOUNT_DEVICES, Fault.status(500));
      assertEquals(1, run(good, "check"));
      assertEquals(
          List.of(
              "FAILED devices HTTP 500 on "
                  + ACCOUNT_DEVICES
                  + ": EcoFlow has a failure: try again later"),
          findings("FAILED"));

      cloud.faults().next(ACCOUNT_DEVICES, Fault.status(403));
      assertEquals(1, run(good, "check"));
      assertEquals(
          List.of(
              "FAILED devices HTTP 403 on "
                  + ACCOUNT_DEVICES
                  + ": EcoFlow, or a proxy, refuses calls of this machine: wait at least ten"
                  + " minutes, and stop other programs that use these credentials"),
          findings("FAILED"));

      cloud.faults().next(CERTIFICATION, Fault.code("9", "no luck"));
      assertEquals(1, run(good, "check"));
      assertEquals(
          List.of(
              "FAILED broker code 9 (no luck) on "
                  + CERTIFICATION
                  + ": EcoFlow has a failure: try again later"),
          findings("FAILED"));

      cloud.stopBroker();
      assertEquals(1, run(good, "check"));
      assertEquals(
          List.of(
              "FAILED broker connection refused or host unreachable: check the network and the"
                  + " firewall, and try again"),
          findings("FAILED"));
      cloud.startBroker();

      cloud.refuseSubscriptions(topic -> true);
      assertEquals(1, run(good, "check"));
      assertEquals(1, findings("FAILED broker ").size(), () -> "" + findings());
      cloud.refuseSubscriptions(topic -> topic.contains("/status/"));
      assertEquals(1, run(good, "check"));
      assertEquals(
          List.of(
              "FAILED device "
                  + SERIAL
                  + ": the broker refused a subscription: check that it belongs to this account"),
          findings("FAILED"));
      cloud.refuseSubscriptions(topic -> false);

      device.setAnswersRequests(false);
      assertEquals(1, run(good, "check", "--seconds", "1"));
      assertEquals(
          List.of(
              "FAILED values "
                  + SERIAL
                  + " sent no values within 1 s: wake it up, open it in EcoFlow's app, and try again"),
          findings("FAILED"));
      device.setAnswersRequests(true);

      assertEquals(0, run(good, "check"));
      assertEquals(0, findings("FAILED").size());
    }

    @Test
    void checkReportsThatItsConnectionWasTakenOver() {
      device.setAnswersRequests(false);
      CompletableFuture<Void> other =
          CompletableFuture.runAsync(
              () -> {
                await().until(() -> !clouds.cloud().messages().isEmpty());
                clouds.cloud().kickClients();
              });
      assertEquals(1, run(variables("device"), "check", "--seconds=600"));
      other.join();
      assertEquals(1, findings("FAILED").size());
      assertTrue(
          findings("FAILED").get(0).startsWith("FAILED broker it closed the connection, because"));
      assertEquals(1, clouds.cloud().connects().size(), "no reconnect");
    }

    @Test
    void checkReportsUnknownVariablesWithoutTheirValues() {
      assertEquals(0, run(variables("rest", "ECOFLOW_METRIC=" + "s3cret"), "check"));
      assertEquals(
          List.of("warning settings ECOFLOW_METRIC is unknown; did you mean ECOFLOW_METRICS?"),
          findings("warning"));
      assertFalse(out.toString().contains("s3cret"), out::toString);

      assertEquals(0, run(variables("rest", "ECOFLOW_METRIC=" + "s3cret"), "config"));
      assertEquals(
          "ecoflow-exporter: ECOFLOW_METRIC is unknown; did you mean ECOFLOW_METRICS?",
          err.toString().strip());
      assertFalse(out.toString().contains("s3cret"), out::toString);
    }

    @Test
    void checkReportsInvalidKeys() {
      SimulatedCloud cloud = clouds.cloud();
      assertEquals(1, run(variables("rest", "ECOFLOW_ACCESS_KEY=wrong"), "check"));
      assertEquals(
          List.of(
              "FAILED keys EcoFlow refuses the access key (code 8513): ECOFLOW_ACCESS_KEY is wrong or belongs to another region"
                  + " (see ECOFLOW_API_HOST)"),
          findings("FAILED"));

      assertEquals(
          1, run(variables("rest", "ECOFLOW_SECRET_KEY=wrong", "HTTP_RETRIES=1"), "check"));
      assertEquals(
          List.of(
              "FAILED keys EcoFlow refuses the access key (code 8521): check ECOFLOW_SECRET_KEY; the"
                  + " clock of this machine is correct"),
          findings("FAILED"));

      device.setOpenToDevelopers(false);
      assertEquals(1, run(variables("rest"), "check"));
      assertEquals(
          List.of(
              "FAILED values "
                  + SERIAL
                  + ": code 1006 (current device is not allowed to get device info) on "
                  + QUOTA
                  + ": the device is not open to developer keys or not bound to their account;"
                  + " the modes mqtt and device can read it"),
          findings("FAILED"));
      device.setOpenToDevelopers(true);

      cloud.faults().always(QUOTA, Fault.data("{}"));
      assertEquals(1, run(variables("rest"), "check", "--seconds=1"));
      assertEquals(
          List.of(
              "FAILED values "
                  + SERIAL
                  + " sent no values within 1 s: EcoFlow has no values of this device for these"
                  + " keys; the modes mqtt and device, with an app account, can have them"),
          findings("FAILED"));

      cloud.faults().always(QUOTA, Fault.code("1006", "device offline"));
      assertEquals(0, run(variables("rest"), "check"), "an offline device is not a failure");
      assertEquals(
          List.of(
              "warning device "
                  + SERIAL
                  + " is offline: it has no values until it is switched on and connected"),
          findings("warning"));
    }

    @ParameterizedTest
    @CsvSource({
      "rest, 300, FAILED, 'ahead: correct its clock; EcoFlow rejects signatures with a wrong time'",
      "rest, -7200, FAILED, 'behind: correct its clock; EcoFlow rejects signatures with a wrong time'",
      "device, 300, warning, ahead: correct its clock",
      "rest, 30, ok, ahead"
    })
    void checkReportsTheClockOffset(String mode, long seconds, String state, String text) {
      clock = Clock.offset(Clock.systemUTC(), Duration.ofSeconds(seconds));
      assertEquals(
          state.equals("FAILED") ? 1 : 0, run(variables(mode), "check"), () -> out.toString());
      String line =
          findings().stream().filter(found -> found.contains(" clock ")).findFirst().orElseThrow();
      assertEquals(state + " clock this machine is N s " + text, line.replaceAll("\\d+", "N"));
      long reported = Long.parseLong(line.replaceAll("\\D", ""));
      // The Date header has whole seconds.
      assertTrue(Math.abs(reported - Math.abs(seconds)) <= 2, line);
    }

    @Test
    void checkReportsMissingAndOfflineDevices() {
      device.setOnline(false);
      assertEquals(1, run(variables("rest", "ECOFLOW_DEVICE_SN=R331NOTHERE," + SERIAL), "check"));
      assertEquals(
          List.of(
              "FAILED device R331NOTHERE is not in the device list; the list contains "
                  + SERIAL
                  + "; correct ECOFLOW_DEVICE_SN",
              "warning device "
                  + SERIAL
                  + " (DELTA 2) is offline: it has no values until it is switched on and connected"),
          findings().stream().skip(5).toList());

      assertEquals(0, run(variables("device"), "check"), "an offline device is not a failure");

      String typo = SERIAL.substring(0, SERIAL.length() - 1) + "X";
      for (String mode : List.of("rest", "open", "mqtt", "device")) {
        assertEquals(
            1, run(variables(mode, "ECOFLOW_DEVICE_SN=" + typo), "check", "--seconds", "1"));
        assertEquals(
            "FAILED device %s is not in the device list; did you mean %s (\"Garage\")? The list contains %s; correct ECOFLOW_DEVICE_SN"
                .formatted(typo, SERIAL, SERIAL),
            findings("FAILED").get(0));
      }

      clouds.cloud().remove(SERIAL);
      assertEquals(1, run(variables("device"), "check"));
      assertEquals(
          List.of(
              "FAILED devices the account has no devices: add them in EcoFlow's app, or use another"
                  + " account"),
          findings("FAILED"));
    }

    @Test
    void checkOnlyWarnsAboutADeviceThatPushesNothing() {
      assertEquals(0, run(variables("mqtt"), "check", "--seconds", "1"));
      assertEquals(
          List.of(
              "warning values "
                  + SERIAL
                  + " sent no values within 1 s: some models send only changes;"
                  + " ECOFLOW_API_TYPE=device requests all values"),
          findings("warning"));
    }

    @Test
    void checkReportsTheRegionOfTheCredentials() {
      CloudAccount foreign =
          new CloudAccount(
              clouds.cloud().account().email() + ".other",
              "other-password",
              "other-user-id",
              "other-access-key",
              "other-secret-key");
      otherRegion = SimulatedCloud.start(CloudOptions.DEFAULT.withAccount(foreign)).add(device);
      String hosts = otherRegion.apiHost() + "," + clouds.cloud().apiHost();
      for (String mode : List.of("rest", "device")) {
        Map<String, String> variables = variables(mode, "ECOFLOW_API_HOST=" + hosts);
        variables.put("ECOFLOW_CA_FILE", caOfBoth().toString());
        String advice =
            " belong to "
                + clouds.cloud().apiHost()
                + ": set ECOFLOW_API_HOST="
                + clouds.cloud().apiHost();
        // With keys, the exporter itself tries the next region.
        assertEquals(mode.equals("rest") ? 0 : 1, run(variables, "check"));
        assertEquals(
            List.of(
                mode.equals("rest")
                    ? "warning region the keys" + advice
                    : "FAILED region the credentials" + advice),
            out.toString()
                .lines()
                .map(line -> line.replaceAll(" +", " "))
                .filter(line -> line.contains(" region "))
                .toList());
      }
    }

    private Path caOfBoth() {
      try {
        return Files.writeString(
            directory.resolve("both.pem"),
            Files.readString(clouds.cloud().caFile()) + Files.readString(otherRegion.caFile()));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Test
    void checkReportsNetworkFailures() throws IOException {
      assertEquals(1, run(variables("rest", "ECOFLOW_API_HOST=nowhere.invalid"), "check"));
      assertEquals(
          List.of(
              "FAILED dns unknown host nowhere.invalid: check ECOFLOW_API_HOST and the name servers of this machine"),
          findings("FAILED"));

      clouds.cloud().stopHttp();
      assertEquals(1, run(variables("rest"), "check"));
      assertEquals(
          List.of(
              "FAILED https localhost: connection refused or host unreachable; check the network,"
                  + " a firewall, and ECOFLOW_API_HOST"),
          findings("FAILED"));
      clouds.cloud().startHttp();

      try (SimulatedCloud foreign =
          SimulatedCloud.start(
              CloudOptions.DEFAULT.withHttpCertificate(ServerCertificate.UNTRUSTED))) {
        assertEquals(1, run(variables("rest", "ECOFLOW_API_HOST=" + foreign.apiHost()), "check"));
      }
      assertEquals(1, findings("FAILED").size());
      assertTrue(
          findings("FAILED")
                  .get(0)
                  .startsWith("FAILED https localhost: the certificate of the host")
              && findings("FAILED").get(0).endsWith("set ECOFLOW_CA_FILE to its certificate"),
          () -> "" + findings());
      try (SimulatedCloud other =
          SimulatedCloud.start(
              CloudOptions.DEFAULT.withHttpCertificate(ServerCertificate.WRONG_NAME))) {
        String caFile = "ECOFLOW_CA_FILE=" + other.caFile();
        assertEquals(
            1, run(variables("rest", "ECOFLOW_API_HOST=" + other.apiHost(), caFile), "check"));
      }
      assertTrue(
          findings("FAILED").get(0).contains("doesn't match")
              && findings("FAILED").get(0).endsWith("set ECOFLOW_CA_FILE to its certificate"),
          () -> "" + findings());

      try (ServerSocket other = new ServerSocket(0)) {
        int port = other.getLocalPort();
        assertEquals(1, run(variables("rest", "EXPORTER_PORT=" + port), "check"));
        assertEquals(
            List.of(
                "FAILED port EXPORTER_PORT="
                    + port
                    + " is in use, perhaps by a running exporter: stop it, or choose another port"),
            findings("FAILED"));
      }
      assertEquals(1, run(variables("rest", "ECOFLOW_LISTEN_ADDRESS=192.0.2.1"), "check"));
      assertEquals(
          List.of(
              "FAILED port ECOFLOW_LISTEN_ADDRESS=192.0.2.1 is not an address of this machine: set"
                  + " one of its addresses, or unset the variable"),
          findings("FAILED"));
      try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
        // The same port of another address is not in use.
        String port = "EXPORTER_PORT=" + other.getLocalPort();
        assertEquals(0, run(variables("rest", port, "ECOFLOW_LISTEN_ADDRESS=127.0.0.2"), "check"));
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "3601", "-1"})
    void checkRejectsSecondsOutOfRange(String seconds) {
      assertEquals(2, run(variables("rest"), "check", "--seconds=" + seconds));
      assertTrue(err.toString().contains("--seconds must be a whole number from 1 to 3600"));
      assertEquals(List.of(), clouds.cloud().requests());
    }
  }
}
