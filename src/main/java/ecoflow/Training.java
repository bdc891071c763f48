package ecoflow;

import static java.nio.charset.StandardCharsets.US_ASCII;

import ecoflow.memory.OutOfMemory;
import ecoflow.text.Lines;
import io.vertx.core.Vertx;
import io.vertx.mqtt.MqttClient;
import io.vertx.mqtt.MqttClientOptions;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.ProducerTemplate;

/**
 * A run of the exporter from which the Java runtime makes a start-up archive: it loads the classes
 * that real traffic loads, and ends. All that it talks to is itself.
 */
final class Training {

  private static final int PATIENCE_SECONDS = 60;
  private static final String DEVICE = "R331TRAINING0001";
  private static final String LOOPBACK = "127.0.0.1";

  private static final String JSON =
      """
      {"id": 1, "version": "1.0", "params": {"pd.soc": 81, "pd.x": 0.5, "pd.on": true, "bms.cells": [1, 2]}}
      """;

  /** Two headers of the message 254/21, the second one masked with its sequence number. */
  private static final List<String> FRAMES =
      List.of(
          "0a150a0a1d0000004025000000411002182040fe014815",
          "0a190a0a1a07070747220707074610021820300140fe0148157007");

  private static final byte[] TLS_REFUSAL = {21, 3, 3, 0, 2, 2, 40};
  private static final byte[] MQTT_CONNECTED = {0x20, 2, 0, 0};
  private static final byte[] MQTT_MESSAGE = {0x30, 4, 0, 1, 't', '1'};

  private Training() {}

  public static void main(String[] args) {
    OutOfMemory.watchProcess();
    PrintStream err = System.err;
    // Log lines are formatted, which takes classes too, but nobody wants to read them.
    System.setErr(new PrintStream(OutputStream.nullOutputStream(), true, US_ASCII));
    try {
      run();
    } catch (Exception e) {
      err.println("ecoflow-exporter: the training run failed: " + Lines.root(e));
      System.exit(1);
    }
    System.exit(0);
  }

  private static void run() throws Exception {
    hearMqttMessage();
    serve(
        "device_last_update_timestamp_seconds{",
        Map.of("ECOFLOW_ACCESS_KEY", "training", "ECOFLOW_SECRET_KEY", "training"));
    serve(
        "pow_in_sum_w{",
        Map.of(
            "ECOFLOW_ACCOUNT_USER", "training",
            "ECOFLOW_ACCOUNT_PASSWORD", "training",
            "ECOFLOW_API_TYPE", "device"));
  }

  /**
   * An exporter from its start to its end; the cloud refuses its call.
   *
   * @param shown a part of the page that tells that messages were understood
   */
  private static void serve(String shown, Map<String, String> credentials) throws Exception {
    try (ServerSocket cloud = listen()) {
      accept(cloud, Training::refuseTls);
      int port = freePort();
      Map<String, String> variables = new HashMap<>(credentials);
      variables.put("ECOFLOW_DEVICE_SN", DEVICE);
      variables.put("ECOFLOW_API_HOST", LOOPBACK + ":" + cloud.getLocalPort());
      variables.put("EXPORTER_PORT", Integer.toString(port));
      variables.put("HTTP_RETRIES", "0");
      variables.put("ESTABLISH_ATTEMPTS", "2");
      variables.put("RETRY_TIMEOUT", "3600");
      try (EcoflowExporter exporter = new EcoflowExporter(variables)) {
        exporter.start();
        send(exporter, credentials.containsKey("ECOFLOW_API_TYPE"));
        awaitOnPage(port, shown);
        awaitOnPage(port, "status=\"error\"} 1");
        get(port, "/metrics", "Accept-Encoding: gzip");
        get(port, "/metrics", "Accept: application/openmetrics-text; version=1.0.0");
        get(port, "/-/healthy", "Accept: */*");
      }
    }
  }

  private static void refuseTls(Socket caller) throws IOException {
    // Whatever a client says first, in one piece.
    if (caller.getInputStream().read(new byte[8192]) > 0) {
      caller.getOutputStream().write(TLS_REFUSAL);
    }
  }

  private static void send(EcoflowExporter exporter, boolean overMqtt) throws IOException {
    Map<String, Object> headers = Map.of("EcoflowDevice", DEVICE, "EcoflowSource", "push");
    try (ProducerTemplate template = exporter.camelContext().createProducerTemplate()) {
      if (overMqtt) {
        template.sendBodyAndHeaders("direct:payload", JSON.getBytes(US_ASCII), headers);
        for (String frame : FRAMES) {
          template.sendBodyAndHeaders("direct:payload", HexFormat.of().parseHex(frame), headers);
        }
      } else {
        template.sendBodyAndHeaders("direct:quotas", Map.of("pd.soc", 81), headers);
      }
    }
  }

  private static void awaitOnPage(int port, String part) throws Exception {
    long start = System.nanoTime();
    while (!get(port, "/metrics", "Accept: text/plain").contains(part)) {
      if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
        throw new IOException("no " + part + " on /metrics");
      }
      Thread.sleep(50);
    }
  }

  private static String get(int port, String path, String header) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(PATIENCE_SECONDS * 1000);
      String request =
          "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + header + "\r\nConnection: close\r\n";
      socket.getOutputStream().write((request + "\r\n").getBytes(US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
      if (!answer.startsWith("HTTP/1.1 200 ")) {
        throw new IOException(path + " answers " + answer.lines().findFirst().orElse("nothing"));
      }
      return answer;
    }
  }

  /** The classes of MQTT, with a broker that knows the few words that this takes. */
  private static void hearMqttMessage() throws Exception {
    CountDownLatch heard = new CountDownLatch(1);
    Vertx vertx = EventLoops.open(1);
    try (ServerSocket broker = listen();
        ServerSocket tlsBroker = listen()) {
      accept(
          broker,
          caller -> {
            DataInputStream in = new DataInputStream(caller.getInputStream());
            packet(in);
            caller.getOutputStream().write(MQTT_CONNECTED);
            byte[] subscribe = packet(in);
            caller
                .getOutputStream()
                .write(new byte[] {(byte) 0x90, 3, subscribe[0], subscribe[1], 0});
            caller.getOutputStream().write(MQTT_MESSAGE);
            await(heard, "no message");
          });
      MqttClient client = MqttClient.create(vertx);
      client.publishHandler(message -> heard.countDown());
      client
          .connect(broker.getLocalPort(), LOOPBACK)
          .onSuccess(connected -> client.subscribe("t", 0));
      await(heard, "no MQTT message");
      accept(tlsBroker, Training::refuseTls);
      CountDownLatch refused = new CountDownLatch(1);
      MqttClient.create(vertx, new MqttClientOptions().setSsl(true))
          .connect(tlsBroker.getLocalPort(), LOOPBACK)
          .onFailure(refusal -> refused.countDown());
      await(refused, "no end of an MQTT connection");
    } finally {
      EventLoops.close(vertx);
    }
  }

  /** What follows the fixed header of a packet of less than 128 bytes. */
  private static byte[] packet(DataInputStream in) throws IOException {
    in.readByte();
    return in.readNBytes(in.readByte());
  }

  private interface Conversation {
    void hold(Socket caller) throws IOException, InterruptedException;
  }

  private static ServerSocket listen() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }

  private static int freePort() throws IOException {
    try (ServerSocket any = new ServerSocket(0)) {
      return any.getLocalPort();
    }
  }

  private static void accept(ServerSocket server, Conversation conversation) {
    Thread thread =
        new Thread(
            () -> {
              while (!server.isClosed()) {
                try (Socket caller = server.accept()) {
                  conversation.hold(caller);
                } catch (IOException | InterruptedException e) {
                  // The other side waits in vain, and says so.
                }
              }
            },
            "training");
    thread.setDaemon(true);
    thread.start();
  }

  private static void await(CountDownLatch latch, String otherwise)
      throws IOException, InterruptedException {
    if (!latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new IOException(otherwise);
    }
  }
}
