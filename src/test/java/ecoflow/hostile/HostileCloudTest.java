package ecoflow.hostile;

import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.Certificates;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Ports;
import ecoflow.testkit.StrictPage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Responses of a broken or hostile cloud. They must fill neither the memory nor the page nor the
 * log.
 */
class HostileCloudTest {

  private static final String DEVICE_LIST = "/iot-open/sign/device/list";
  private static final String ACCOUNT_DEVICES = "/iot-service/user/device";
  private static final String CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  private static final String ANSWER = "{\"code\":\"0\",\"message\":\"Success\",\"data\":[]}";

  /** Line separators, and characters that change the direction of text. */
  private static final String CONTROLS =
      "\\u0000\\u0007\\n\\r\\u001b\\u007f\\u0085\\u009b\\u061c\\u200e\\u2028\\u2029\\u202e\\u2066";

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.rest();

  @TempDir private Path directory;

  private static String entry(String serial, String name, int online) {
    return "{\"sn\":\"%s\",\"deviceName\":\"%s\",\"online\":%d,\"productName\":\"DELTA 2\"}"
        .formatted(serial, name, online);
  }

  private static String list(String... entries) {
    return "[" + String.join(",", entries) + "]";
  }

  private void answerLists(String json) {
    exporter.cloud().faults().clear();
    exporter.cloud().faults().always(DEVICE_LIST, Fault.data(json));
  }

  private List<String> served() {
    return StrictPage.read(exporter.page().text(), false).get("ecoflow_online").series().stream()
        .map(series -> series.labels().get("device"))
        .sorted()
        .toList();
  }

  private double leftOut(String reason) {
    return StrictPage.read(exporter.page().text(), false)
        .get("ecoflow_devices_left_out")
        .series()
        .stream()
        .filter(series -> series.labels().get("reason").equals(reason))
        .findFirst()
        .orElseThrow()
        .value();
  }

  private static String logOf(Runnable task) {
    PrintStream before = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    try {
      task.run();
    } finally {
      System.setErr(before);
    }
    return written.toString(StandardCharsets.UTF_8);
  }

  private static long count(String log, String words) {
    return log.lines().filter(line -> line.contains(words)).count();
  }

  private ChildProcess process(Path caFile, int port, String... more) {
    Map<String, String> variables =
        IntStream.range(0, more.length / 2)
            .boxed()
            .collect(Collectors.toMap(i -> more[2 * i], i -> more[2 * i + 1]));
    variables.putAll(
        Map.of(
            "EXPORTER_PORT",
            "" + Ports.next(),
            "ECOFLOW_API_HOST",
            "localhost:" + port,
            "ECOFLOW_CA_FILE",
            caFile.toString(),
            "ECOFLOW_DEVICE_SN",
            "all",
            "ECOFLOW_ACCESS_KEY",
            exporter.cloud().account().accessKey(),
            "ECOFLOW_SECRET_KEY",
            exporter.cloud().account().secretKey(),
            "RETRY_TIMEOUT",
            "0.1",
            "HTTP_RETRIES",
            "0",
            "ESTABLISH_ATTEMPTS",
            "2"));
    return ChildProcess.exporter(
        directory, directory.resolve("log"), variables, List.of("-Xmx64m"));
  }

  /** With the heap limit of the launcher. */
  @Test
  void aListOf20000DevicesFits() {
    answerLists(
        IntStream.range(0, 20_000)
            .mapToObj(i -> entry("R331Z%011d".formatted(i), "n".repeat(100), 0))
            .collect(Collectors.joining(",", "[", "]")));
    try (ChildProcess process =
        process(
            exporter.cloud().caFile(), exporter.cloud().httpPort(), "DEVICE_LIST_CACHE_TTL", "0")) {
      process.awaitLine("Connected to EcoFlow's developer API: 20000 device(s) in the list");
      process.awaitLine(
          "The device list has 20000 devices and ECOFLOW_MAX_DEVICES is 5000: 15000 devices");
      process.awaitLine("New devices: R331Z00000000000, ");
      process.awaitLine(", R331Z00000000019 and 4980 more");
      process.signal("TERM");
      assertEquals(143, process.exitCode(), () -> "" + process.lines());
      assertTrue(
          process.lines().stream().allMatch(line -> line.startsWith("20") && line.length() < 1000),
          () -> "" + process.lines());
    }
  }

  @Nested
  class Responses {

    private ServerSocket answering(Certificates certificates, String start, String again)
        throws IOException {
      ServerSocket server =
          certificates
              .client(certificates.issue("localhost"))
              .getServerSocketFactory()
              .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
      Thread thread =
          new Thread(
              () -> {
                byte[] more = again.getBytes(US_ASCII);
                while (!server.isClosed()) {
                  try (Socket client = server.accept()) {
                    assertTrue(client.getInputStream().read() >= 0);
                    client.getOutputStream().write(start.getBytes(US_ASCII));
                    while (more.length > 0) {
                      client.getOutputStream().write(more);
                    }
                  } catch (IOException e) {
                    // Caused by the client, or by the end of the test.
                  }
                }
              },
              "answering-server");
      thread.setDaemon(true);
      thread.start();
      return server;
    }

    /** Without limits, they would fill the memory long before the timeout of the call. */
    @ParameterizedTest
    @ValueSource(strings = {"extension", "size", "trailer", "trailers", "headers"})
    void endlessResponsesAreAborted(String part) throws IOException {
      String header = "X-Header: " + "a".repeat(1000) + "\r\n";
      String body = Integer.toHexString(ANSWER.length()) + "\r\n" + ANSWER + "\r\n0\r\n";
      String start =
          switch (part) {
            case "extension" -> CHUNKED + "5;a=";
            case "size" -> CHUNKED;
            case "trailer" -> CHUNKED + body + "X: ";
            case "trailers" -> CHUNKED + body;
            default -> "HTTP/1.1 200 OK\r\n";
          };
      String again =
          switch (part) {
            case "extension", "trailer" -> "a".repeat(100_000);
            case "size" -> "0".repeat(100_000);
            default -> header.repeat(100);
          };
      Certificates certificates = new Certificates("cloud");
      Path caFile = directory.resolve("ca.pem");
      certificates.writeAuthority(caFile);
      try (ServerSocket server = answering(certificates, start, again);
          ChildProcess process = process(caFile, server.getLocalPort(), "HTTP_TIMEOUT", "3600")) {
        assertEquals(1, process.exitCode(), () -> "" + process.lines());
        process.awaitLine(
            "Cannot get the device list from EcoFlow: the headers of the response are too long on "
                + DEVICE_LIST);
        assertTrue(
            process.lines().stream().allMatch(line -> line.startsWith("20")),
            () -> "" + process.lines());
      }
    }
  }

  @Nested
  class Devices {

    @Test
    void devicesOverTheLimitAreOmittedAndKnownOnesKept() {
      answerLists(list(entry("D5", "", 0), entry("D3", "", 0)));
      String log =
          logOf(
              () -> {
                exporter.start("ECOFLOW_MAX_DEVICES=3");
                eventually(() -> assertEquals(List.of("D3", "D5"), served()));
                assertEquals(0, leftOut("limit"));
                answerLists(
                    list(
                        IntStream.rangeClosed(1, 9)
                            .map(i -> 10 - i)
                            .mapToObj(i -> entry("D" + i, "", 0))
                            .toArray(String[]::new)));
                eventually(() -> assertEquals(6, leftOut("limit")));
                assertEquals(List.of("D1", "D3", "D5"), served());
                // With fewer devices, an omitted one does not replace one that was removed from the
                // list.
                answerLists(list(entry("D9", "", 0), entry("D5", "", 0)));
                eventually(() -> assertEquals(1, leftOut("limit")));
                assertEquals(List.of("D1", "D3", "D5"), served());
              });
      assertEquals(1, count(log, "ECOFLOW_MAX_DEVICES"), log);
      assertEquals(
          1,
          count(
              log,
              "The device list has 9 devices and ECOFLOW_MAX_DEVICES is 3: 6 devices are not served; devices that are already served remain"),
          log);
    }

    @Test
    void configuredDevicesDoNotCount() {
      answerLists(list(entry("D1", "", 0), entry("D2", "", 0), entry("D3", "", 0)));
      exporter.startFor("D1,D2", "ECOFLOW_MAX_DEVICES=1");
      eventually(() -> assertEquals(List.of("D1", "D2"), served()));
      assertEquals(0, leftOut("limit"));
    }
  }

  @Nested
  class Names {

    @ParameterizedTest
    @CsvSource({"rest, /iot-open/sign/device/list", "mqtt, /iot-service/user/device"})
    void namesAreTruncatedWithoutControlCharacters(String mode, String path) {
      String bad = CONTROLS;
      String first = entry("ZZ" + bad + "1", bad + "Gar" + bad + "age" + bad, 1);
      String second = entry("ZZ2", "\uD83D\uDE00".repeat(250_000), 1);
      String third = entry("ZZ3", bad, 1);
      String fourth = entry("ZZ4", "a\\ud83db\\ude00c", 1);
      String json =
          mode.equals("rest")
              ? list(first, second, third, fourth)
              : "{\"bound\":{\"a\":%s,\"b\":%s,\"c\":%s,\"d\":%s}}"
                  .formatted(first, second, third, fourth);
      exporter.cloud().faults().always(path, Fault.data(json));
      String log =
          logOf(
              () -> {
                exporter.startIn(mode);
                eventually(() -> assertEquals(4, served().size()));
              });
      Map<String, String> names =
          StrictPage.read(exporter.page().text(), false).get("ecoflow_online").series().stream()
              .collect(
                  Collectors.toMap(
                      series -> series.labels().get("device"),
                      series -> series.labels().get("device_name")));
      assertEquals("Garage", names.get("ZZ1"));
      assertEquals("\uD83D\uDE00".repeat(200), names.get("ZZ2"));
      assertEquals("ZZ3", names.get("ZZ3"));
      assertEquals("abc", names.get("ZZ4"));
      String pages = exporter.page().text() + exporter.http().get("/").body() + log;
      assertFalse(pages.codePoints().anyMatch(Names::isControl), "control characters in\n" + pages);
    }

    private static boolean isControl(int character) {
      return (Character.isISOControl(character) && character != '\n')
          || "\u061c\u200e\u2028\u2029\u202e\u2066".indexOf(character) >= 0;
    }
  }

  @Nested
  class LogLines {

    /** Asserts one line for each attempt, with the next action and without a stack trace. */
    private void assertOneLine(String mode, String words, String... variables) {
      String log =
          logOf(
              () -> {
                exporter.startIn(mode, variables);
                eventually(
                    () -> {
                      String body = exporter.http().get("/").body();
                      assertTrue(body.contains(words), body);
                    });
                exporter.stop();
              });
      List<String> bad =
          log.lines().filter(line -> line.matches(".* (WARN|ERROR) ecoflow\\..*")).toList();
      assertFalse(bad.isEmpty());
      assertTrue(
          bad.stream().allMatch(line -> line.contains(words) && line.contains("next attempt in ")),
          () -> "" + bad);
      assertFalse(log.contains("\tat ") || log.contains("Exception"), log);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqtt", "device", "open"})
    void aBrokerThatRefusesAllSubscriptionsIsOneLine(String mode) {
      SimulatedDevice device =
          new SimulatedDevice("R331ZHOSTILE0001", "Shed", "DELTA 2", WireFormat.JSON);
      exporter.cloud().add(device);
      exporter.cloud().refuseSubscriptions(topic -> true);
      assertOneLine(
          mode,
          "the broker refused all subscriptions",
          "ECOFLOW_DEVICE_SN=R331ZHOSTILE0001",
          "ESTABLISH_ATTEMPTS=1000");
    }

    @ParameterizedTest
    @CsvSource({"rest, " + DEVICE_LIST, "mqtt, /auth/login", "mqtt, /iot-auth/app/certification"})
    void anEmptyResponseIsOneLine(String mode, String path) {
      exporter.cloud().faults().always(path, Fault.noContent());
      assertOneLine(
          mode,
          "the response is empty (HTTP 204) on " + path,
          "ESTABLISH_ATTEMPTS=1000",
          "HTTP_RETRIES=0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"99999", "0", "-1", "65536", "1e3", "99999999999"})
    void anInvalidBrokerPortIsOneLine(String port) {
      String words = "the certification response has no valid port (" + port + ")";
      String data =
          """
        {"url":"localhost","port":"%s","certificateAccount":"a","certificatePassword":"b"}
        """
              .formatted(port);
      exporter.cloud().faults().always("/iot-auth/app/certification", Fault.data(data));
      assertOneLine("mqtt", words, "ESTABLISH_ATTEMPTS=1000");
      exporter.cloud().faults().always("/iot-open/sign/certification", Fault.data(data));
      logOf(
          () -> {
            exporter.startIn("open");
            eventually(() -> assertTrue(exporter.http().get("/").body().contains(words)));
          });
    }

    @ParameterizedTest
    @CsvSource({
      "userId, /auth/login, login",
      "token, /auth/login, login",
      "url, /iot-auth/app/certification, certification",
      "certificateAccount, /iot-auth/app/certification, certification",
      "certificatePassword, /iot-auth/app/certification, certification"
    })
    void aLineEndInCredentialsOfTheCloudIsOneLine(String field, String path, String call) {
      String data =
          call.equals("login")
              ? "{'token':'t','user':{'userId':'1'}}"
              : "{'url':'localhost','port':1,'certificateAccount':'a','certificatePassword':'b'}";
      exporter
          .cloud()
          .faults()
          .always(
              path,
              Fault.data(
                  data.replaceFirst("('" + field + "':')", "$1s3cret\\\\n").replace('\'', '"')));
      assertOneLine(
          "mqtt",
          call + ": the " + call + " response has a control character in " + field + " on " + path,
          "ESTABLISH_ATTEMPTS=1000");
    }
  }
}
