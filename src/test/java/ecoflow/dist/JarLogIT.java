package ecoflow.dist;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.header;
import static ecoflow.testkit.Frames.message;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The log of the packaged jar: its DEBUG lines, and the absence of secrets. */
class JarLogIT {

  private static final String SERIAL = "R331JAR000000002";

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81, "pd.wattsOutSum", 0));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);
  @RegisterExtension final ExporterJar jar = new ExporterJar(clouds);

  @Test
  void noSecretIsLoggedAtDebugInAnyMode() {
    String password = clouds.cloud().account().password();
    for (String mode : List.of("rest", "mqtt", "device")) {
      if (mode.equals("device")) {
        // Failures are logged with their topic.
        clouds.cloud().refuseSubscriptions(topic -> topic.endsWith("/get_reply"));
      }
      jar.start(mode, "LOG_LEVEL=DEBUG");
      if (mode.equals("mqtt")) {
        jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");
        DEVICE.pushAll();
      }
      if (mode.equals("device")) {
        jar.awaitLine(" The broker refused the subscription to /app/***/" + SERIAL);
        clouds.cloud().refuseSubscriptions(topic -> false);
        jar.awaitLine(" The broker accepted the subscription to /app/***/" + SERIAL);
      }
      jar.awaitSeries(SERIAL, "pd_soc");
      jar.terminate();

      String log = String.join("\n", jar.log());
      assertTrue(log.contains(" DEBUG "), log);
      Set<String> secrets =
          new HashSet<>(
              List.of(
                  clouds.cloud().account().secretKey(),
                  clouds.cloud().account().accessKey(),
                  password,
                  Base64.getEncoder().encodeToString(password.getBytes(StandardCharsets.UTF_8)),
                  clouds.cloud().account().userId(),
                  clouds.cloud().certificatePassword(),
                  "ANDROID_",
                  "Bearer "));
      for (CloudRequest request : clouds.cloud().requests()) {
        secrets.add(request.header(mode.equals("rest") ? "sign" : "Authorization"));
      }
      secrets.remove(null);
      assertTrue(secrets.size() > 8, "includes signatures and tokens");
      for (String secret : secrets) {
        String bare = secret.equals("Bearer ") ? secret : secret.replaceFirst("^Bearer ", "");
        assertFalse(log.contains(bare), () -> mode + " logs " + bare);
      }
    }
  }

  @Test
  void debugLogsEachMessageInOneLine() {
    jar.start("device", "LOG_LEVEL=DEBUG", "QUOTA_REQUEST_INTERVAL=3600");
    // The value is from the reply to the only request.
    jar.awaitSeries(SERIAL, "pd_watts_out_sum");
    // pow_in_sum_w and pow_out_sum_w
    byte[] powerIn = header(254, 21, message().real(3, 2));
    byte[] powerOut = header(254, 21, message().real(4, 8));
    byte[] broken = Arrays.copyOf(powerIn, 3);
    byte[] frame = frame(powerIn, header(60, 1, message().integer(1, 7)), broken, powerOut);
    Map<byte[], String> pushes = new LinkedHashMap<>();
    pushes.put(
        utf8(
            """
            {"params": {"pd.soc": 82, "pd.list": [1]}}
            """),
        "JSON, values accepted: 2");
    pushes.put(
        utf8(
            """
            {"params": {}}
            """),
        "JSON, values accepted: 0");
    pushes.put(
        utf8(
            """
            {"params": null}
            """),
        "JSON, dropped: params is null instead of an object, values accepted: 0");
    pushes.put(
        utf8("none"),
        "unknown, dropped: the payload is neither a JSON object nor a frame, values accepted: 0");
    pushes.put(
        frame,
        "frame, 254/21 decoded, 60/1 unknown 0807, a malformed header (REASON), 254/21 decoded,"
            + " values accepted: 2");
    pushes.put(
        Base64.getEncoder().encode(frame(powerIn)), "base64, 254/21 decoded, values accepted: 1");
    pushes.put(
        utf8(
            """
            {"params": {"pd_soc": 5, "online": 1, "pd.x": 1, "pd_x": 2}}
            """),
        "JSON, values accepted: 3, same_name conflicts: 2 (first pd_soc),"
            + " own_metric conflicts: 1 (first online)");
    String off =
        """
        {"params": {"status": 0}}
        """;

    pushes.keySet().forEach(DEVICE::publish);
    DEVICE.publishStatus(off);
    jar.awaitOwn(0, "online", "device=" + SERIAL);
    jar.terminate();

    List<String> expected = new ArrayList<>();
    expected.add(
        "/app/***/" + SERIAL + "/thing/property/get_reply: N bytes, JSON, values accepted: 2");
    pushes.forEach(
        (payload, words) ->
            expected.add(
                "/app/device/property/" + SERIAL + ": " + payload.length + " bytes, " + words));
    expected.add(
        "/app/device/status/"
            + SERIAL
            + ": "
            + off.length()
            + " bytes, JSON, the device is off, values accepted: 0");
    assertEquals(
        expected,
        jar.log(" DEBUG MessageTrace - ").stream()
            .map(line -> line.replaceFirst("(get_reply: )[0-9]{2,}", "$1N"))
            .map(line -> line.replaceFirst("\\([A-Z][^()]{10,}\\)", "(REASON)"))
            .toList());
    assertEquals(List.of(), jar.log(" DEBUG Payloads - "), "dropped values are in the same line");
    assertEquals(
        List.of(
            "Dropped a push of device "
                + SERIAL
                + ": params is null instead of an object; waiting for the next message"),
        jar.log(" WARN Payloads - ").stream().filter(line -> line.contains("push")).toList());
    assertEquals(
        List.of(
            LOGIN + ": HTTP 200 after N ms, attempt 1",
            CERTIFICATION + ": HTTP 200 after N ms, attempt 1",
            ACCOUNT_DEVICES + ": HTTP 200 after N ms, attempt 1"),
        attempts());
  }

  @Test
  void debugLogsEachAttemptOfACallInOneLine() {
    clouds.cloud().faults().next(DEVICE_LIST, Fault.status(503));
    clouds
        .cloud()
        .faults()
        .next(
            QUOTA,
            Fault.code("8521", "signature is wrong"),
            Fault.delay(Duration.ofSeconds(60)),
            Fault.status(502));
    jar.start("rest", "LOG_LEVEL=DEBUG", "COLLECTING_INTERVAL=3600", "HTTP_TIMEOUT=2");
    jar.awaitSeries(SERIAL, "pd_soc");
    jar.terminate();

    String call = QUOTA + " of device " + SERIAL + ": ";
    assertEquals(
        List.of(
            DEVICE_LIST + ": HTTP 503 after N ms, attempt 1",
            DEVICE_LIST + ": HTTP 200 after N ms, attempt 2",
            call
                + "HTTP 200 after N ms, attempt 1: code 8521 (signature is wrong):"
                + " check ECOFLOW_SECRET_KEY; the clock of this machine is correct",
            call + "no status after N ms, attempt 2: no response in time",
            call + "HTTP 502 after N ms, attempt 3",
            call + "HTTP 200 after N ms, attempt 4"),
        attempts());
    assertEquals(List.of(), jar.log(" DEBUG MessageTrace - "), "no MQTT messages");
  }

  private List<String> attempts() {
    return jar.log(" DEBUG CloudCall - ").stream()
        .map(line -> line.replaceFirst("after [0-9]+ ms", "after N ms"))
        .toList();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aFloodOfMessagesIsOneLine() {
    jar.start("mqtt");
    jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");
    String line =
        "Device "
            + SERIAL
            + " sends messages faster than they can be processed: dropping the oldest";
    StringBuilder keys = new StringBuilder("{\"params\":{\"pd.soc\":1");
    for (int i = 0; i < 4_000; i++) {
      keys.append(",\"k.").append(i).append("\":1");
    }
    String message = keys.append("}}").toString();
    for (int i = 0; i < 500; i++) {
      DEVICE.publish(message);
    }
    jar.awaitLine(line);
    DEVICE.publish("{\"params\":{\"pd.soc\":2}}");
    eventually(() -> assertEquals(2, jar.page().of(SERIAL, "pd_soc")));
    assertEquals(1, jar.log(line).size(), () -> "" + jar.log());
    assertEquals(143, jar.terminate());
  }
}
