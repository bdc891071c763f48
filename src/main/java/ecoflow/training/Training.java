package ecoflow.training;

import static java.nio.charset.StandardCharsets.US_ASCII;

import ecoflow.EcoflowExporter;
import ecoflow.runtime.OutOfMemory;
import ecoflow.text.Lines;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.camel.ProducerTemplate;

/**
 * The training run from which the Java runtime creates the start-up archive. It loads the classes
 * that real traffic loads, and exits. It connects only to its own servers.
 */
public final class Training {

  static final int TIMEOUT_SECONDS = 60;
  private static final String DEVICE = "R331TRAINING0001";

  private static final String JSON =
      """
      {"id": 1, "version": "1.0", "params": {"pd.soc": 81, "pd.x": 0.5, "pd.on": true, "bms.cells": [1, 2]}}
      """;

  /**
   * Two frames with the message 254/21; the message in the second one is encrypted with its
   * sequence number.
   */
  private static final List<String> FRAMES =
      List.of(
          "0a150a0a1d0000004025000000411002182040fe014815",
          "0a190a0a1a07070747220707074610021820300140fe0148157007");

  private Training() {}

  public static void main(String[] args) {
    OutOfMemory.watchProcess();
    PrintStream err = System.err;
    // Log lines are formatted, because this loads classes, and then discarded.
    System.setErr(new PrintStream(OutputStream.nullOutputStream(), true, US_ASCII));
    try {
      run(args.length > 0);
    } catch (Exception e) {
      err.println("ecoflow-exporter: the training run failed: " + Lines.root(e));
      System.exit(1);
    }
    System.exit(0);
  }

  /**
   * @param withKafka whether the jars of lib/fleet are on the class path
   */
  private static void run(boolean withKafka) throws Exception {
    Path directory = Files.createTempDirectory("ecoflow-training");
    // Deletes the files also after a signal, in reverse order.
    List.of(directory, directory.resolve("key"), directory.resolve("ca"))
        .forEach(file -> file.toFile().deleteOnExit());
    List<byte[]> pushes = new ArrayList<>(List.of(JSON.getBytes(US_ASCII)));
    FRAMES.forEach(frame -> pushes.add(HexFormat.of().parseHex(frame)));
    try (TrainingCloud cloud =
        new TrainingCloud(directory, "/app/device/property/" + DEVICE, pushes)) {
      serve(
          cloud,
          Map.of("ECOFLOW_ACCESS_KEY", "training", "ECOFLOW_SECRET_KEY", "training"),
          List.of("status=\"error\"\\} 1", "device_last_update_timestamp_seconds\\{"));
      serve(
          cloud,
          Map.of(
              "ECOFLOW_ACCOUNT_USER", "training",
              "ECOFLOW_ACCOUNT_PASSWORD", "training",
              "ECOFLOW_API_TYPE", "device"),
          List.of("pd_soc\\{", "pow_in_sum_w\\{"));
      if (withKafka) {
        // Kafka's client is used without a broker, so that all messages are dropped.
        serve(
            cloud,
            Map.of(
                "ECOFLOW_ACCOUNT_USER", "training",
                "ECOFLOW_ACCOUNT_PASSWORD", "training",
                "ECOFLOW_API_TYPE", "device",
                "ECOFLOW_ROLE", "collect",
                "ECOFLOW_KAFKA_BROKERS", "127.0.0.1:" + freePort()),
            List.of("reason=\"no_metadata\"\\} [1-9]"));
      }
    }
  }

  /**
   * Runs an exporter from start to stop. The cloud rejects calls with developer keys.
   *
   * @param shown regular expressions for text on the page after a connection was made and messages
   *     were decoded
   */
  private static void serve(
      TrainingCloud cloud, Map<String, String> credentials, List<String> shown) throws Exception {
    int port = freePort();
    Map<String, String> variables = new HashMap<>(credentials);
    variables.put("ECOFLOW_DEVICE_SN", DEVICE);
    variables.put("ECOFLOW_API_HOST", cloud.host());
    variables.put("ECOFLOW_CA_FILE", cloud.caFile().toString());
    variables.put("EXPORTER_PORT", Integer.toString(port));
    variables.put("HTTP_RETRIES", "0");
    variables.put("ESTABLISH_ATTEMPTS", "2");
    variables.put("RETRY_TIMEOUT", "3600");
    try (EcoflowExporter exporter = new EcoflowExporter(variables)) {
      exporter.start();
      if (!credentials.containsKey("ECOFLOW_API_TYPE")) {
        sendQuotas(exporter);
      }
      for (String part : shown) {
        awaitOnPage(port, part);
      }
      get(port, "/metrics", "Accept-Encoding: gzip");
      get(port, "/metrics", "Accept: application/openmetrics-text; version=1.0.0");
      get(port, "/-/healthy", "Accept: */*");
    }
  }

  /** Sends quotas to the route, because the cloud does not support calls with developer keys. */
  private static void sendQuotas(EcoflowExporter exporter) throws IOException {
    try (ProducerTemplate template = exporter.camelContext().createProducerTemplate()) {
      template.sendBodyAndHeaders(
          "direct:quotas",
          Map.of("pd.soc", 81),
          Map.of("EcoflowDevice", DEVICE, "EcoflowSource", "push"));
    }
  }

  private static void awaitOnPage(int port, String part) throws Exception {
    Pattern text = Pattern.compile(part);
    long start = System.nanoTime();
    while (!text.matcher(get(port, "/metrics", "Accept: text/plain")).find()) {
      if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS)) {
        throw new IOException("no " + part + " on /metrics");
      }
      Thread.sleep(50);
    }
  }

  private static String get(int port, String path, String header) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(TIMEOUT_SECONDS * 1000);
      String request =
          "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + header + "\r\nConnection: close\r\n";
      socket.getOutputStream().write((request + "\r\n").getBytes(US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
      if (!answer.startsWith("HTTP/1.1 200 ")) {
        throw new IOException(
            "unexpected response of " + path + ": " + answer.lines().findFirst().orElse("none"));
      }
      return answer;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket any = new ServerSocket(0)) {
      return any.getLocalPort();
    }
  }
}
