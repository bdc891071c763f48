package ecoflow.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.eclipse.paho.client.mqttv3.IMqttMessageListener;
import org.eclipse.paho.client.mqttv3.MqttAsyncClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * The environment of the measurement: the simulated cloud's HTTPS server, Mosquitto as its broker
 * with TLS, and one device that replies to requests for all values immediately.
 */
final class Bed implements AutoCloseable {

  static final String SERIAL = "R331ZBENCH000001";

  private static final String LOGIN = "bench";
  private static final String SEND = LOGIN;
  private static final int MAX_REPLIES = 65_535;

  private final SimulatedCloud cloud = SimulatedCloud.start();
  private final int tlsPort = Ports.next();
  private final int plainPort = Ports.next();
  private final Path directory;
  private ChildProcess broker;
  private MqttAsyncClient device;
  private volatile byte[] answer = new byte[0];

  Bed(Path directory) throws IOException, InterruptedException, MqttException {
    this.directory = directory;
    broker = startBroker();
    cloud.setBroker("localhost", tlsPort, LOGIN, SEND);
    device = answeringDevice();
  }

  /**
   * The exporter uses TLS. The load generator does not, so that it does not compete with the
   * exporter for CPU time. The broker drops no messages, regardless of the length of its queues.
   */
  private ChildProcess startBroker() throws IOException, InterruptedException {
    Path key = directory.resolve("key.pem");
    Path certificate = directory.resolve("certificate.pem");
    Path passwords = directory.resolve("passwords");
    Path config = directory.resolve("config");
    Path output = directory.resolve("broker.log");
    cloud.writeIdentity(ServerCertificate.TRUSTED, key, certificate);
    Files.writeString(passwords, "");
    ChildProcess.run(
        directory, output, program("mosquitto_passwd"), "-b", passwords.toString(), LOGIN, SEND);
    Files.write(
        config,
        List.of(
            "user " + System.getProperty("user.name"),
            "allow_anonymous false",
            "password_file " + passwords,
            "persistence false",
            "log_type error",
            "max_queued_messages 0",
            "max_inflight_messages 0",
            "set_tcp_nodelay true",
            "listener " + plainPort + " 127.0.0.1",
            "listener " + tlsPort + " 127.0.0.1",
            "keyfile " + key,
            "certfile " + certificate));
    ChildProcess started =
        ChildProcess.start(
            directory, output, Map.of(), List.of(program("mosquitto"), "-c", config.toString()));
    while (!answers(plainPort)) {
      if (!started.isAlive()) {
        throw new IllegalStateException("mosquitto does not start: " + started.lines());
      }
      Thread.sleep(20);
    }
    return started;
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  /** Debian installs servers in a directory that is in the PATH of root only. */
  private static String program(String name) {
    return Stream.concat(Stream.of(System.getenv("PATH").split(":")), Stream.of("/usr/sbin"))
        .map(directory -> Path.of(directory, name))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(name + " is not installed"))
        .toString();
  }

  private MqttAsyncClient answeringDevice() throws MqttException {
    MqttAsyncClient client =
        new MqttAsyncClient(
            "tcp://localhost:" + plainPort, "answering-device", new MemoryPersistence());
    MqttConnectOptions options = new MqttConnectOptions();
    options.setUserName(LOGIN);
    options.setPassword(SEND.toCharArray());
    // Enough for the replies of all accounts at once; a full queue ends the connection.
    options.setMaxInflight(MAX_REPLIES);
    client.connect(options).waitForCompletion();
    IMqttMessageListener listener =
        (topic, request) -> {
          byte[] now = answer;
          // Requests as frames are for other models.
          if (now.length > 0 && request.getPayload()[0] == '{') {
            client.publish(topic + "_reply", now, 0, false);
          }
        };
    client.subscribe("/app/+/+/thing/property/get", 1, listener).waitForCompletion();
    return client;
  }

  /** Sets the answer of the device, a JSON object of quotas; empty for no answer. */
  void setAnswer(String quotas) {
    answer =
        quotas.isEmpty()
            ? new byte[0]
            : """
            {"operateType": "latestQuotas", "data": {"online": 1, "quotaMap": %s}}
            """
                .formatted(quotas)
                .getBytes(UTF_8);
  }

  /** Kills the broker and starts it again on the same ports. */
  void restartBroker() throws IOException, InterruptedException, MqttException {
    device.disconnectForcibly(0, 1000);
    device.close(true);
    broker.close();
    broker = startBroker();
    device = answeringDevice();
  }

  SimulatedCloud cloud() {
    return cloud;
  }

  Publisher publisher() throws IOException {
    return new Publisher(plainPort, LOGIN, SEND);
  }

  /**
   * The environment of all measured exporters, with the variables for the CA in other languages.
   */
  Map<String, String> environment(String serials, int port) {
    CloudAccount account = cloud.account();
    String authority = cloud.caFile().toString();
    Map<String, String> variables = new HashMap<>();
    variables.put("ECOFLOW_DEVICE_SN", serials);
    variables.put("ECOFLOW_API_TYPE", "device");
    variables.put("ECOFLOW_API_HOST", cloud.apiHost());
    variables.put("ECOFLOW_ACCOUNT_USER", account.email());
    variables.put("ECOFLOW_ACCOUNT_PASSWORD", account.password());
    variables.put("ECOFLOW_CA_FILE", authority);
    variables.put("SSL_CERT_FILE", authority);
    variables.put("REQUESTS_CA_BUNDLE", authority);
    variables.put("EXPORTER_PORT", Integer.toString(port));
    return variables;
  }

  @Override
  public void close() throws MqttException {
    try {
      device.disconnectForcibly(0, 1000);
      device.close(true);
    } finally {
      broker.close();
      cloud.close();
    }
  }
}
