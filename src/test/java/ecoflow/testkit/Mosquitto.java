package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** The broker Mosquitto as a child process: a loopback port, logins, a log of its clients. */
public final class Mosquitto implements AutoCloseable {

  private static final String STARTED = " running";

  private final Path directory;
  private final int port = Ports.next();

  /** Null for a broker without TLS. */
  private final SimulatedCloud cloud;

  private ChildProcess process;

  /** Uses TLS. Does not start it. */
  public Mosquitto(Path directory, SimulatedCloud cloud, ServerCertificate certificate) {
    this(directory, cloud);
    cloud.writeIdentity(certificate, file("key.pem"), file("certificate.pem"));
  }

  /** A local broker without TLS. Does not start it. */
  public static Mosquitto plain(Path directory) {
    return new Mosquitto(directory, null);
  }

  private Mosquitto(Path directory, SimulatedCloud cloud) {
    this.directory = directory;
    this.cloud = cloud;
    boolean tls = cloud != null;
    try {
      Files.createDirectories(directory);
      Files.createFile(file("passwords"));
      Files.createFile(file("log"));
      Files.write(
          file("config"),
          List.of(
              // If root started it, Mosquitto would switch to a user without access to these files.
              "user " + System.getProperty("user.name"),
              "listener " + port + " 127.0.0.1",
              tls ? "keyfile " + file("key.pem") : "",
              tls ? "certfile " + file("certificate.pem") : "",
              "allow_anonymous false",
              "password_file " + file("passwords"),
              "persistence false",
              "log_dest file " + file("log"),
              "log_type all"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static boolean isInstalled() {
    return Programs.find("mosquitto").isPresent() && Programs.find("mosquitto_passwd").isPresent();
  }

  private Path file(String name) {
    return directory.resolve(name);
  }

  public int port() {
    return port;
  }

  /** Takes effect after the next start or {@link #reload}. */
  public void setPassword(String user, String password) {
    ChildProcess.run(
        directory,
        file("output"),
        Programs.get("mosquitto_passwd"),
        "-b",
        file("passwords").toString(),
        user,
        password);
  }

  public void start() {
    long starts = count(STARTED);
    process =
        ChildProcess.start(
            directory,
            file("output"),
            Map.of(),
            List.of(Programs.get("mosquitto"), "-c", file("config").toString()));
    eventually(
        () -> {
          if (!process.isAlive()) {
            throw new IllegalStateException("mosquitto does not start: " + log());
          }
          assertEquals(starts + 1, count(STARTED));
        });
  }

  /** Kills it like a crash or a power failure: clients are not notified. */
  public void kill() {
    process.kill();
  }

  /** Reads the passwords again and disconnects clients with another password. */
  public void reload() {
    process.signal("HUP");
  }

  /** Connections stay open, and the kernel accepts new ones, but the broker does not answer. */
  public void freeze() {
    process.signal("STOP");
  }

  public void thaw() {
    process.signal("CONT");
  }

  public List<String> log() {
    try {
      return Files.readAllLines(file("log"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Another client of a broker with TLS; the caller closes it. */
  public MqttClient client(String id, String user, String password) throws MqttException {
    MqttClient client = new MqttClient("ssl://localhost:" + port, id, new MemoryPersistence());
    client.setTimeToWait(10_000);
    MqttConnectOptions options = new MqttConnectOptions();
    options.setUserName(user);
    options.setPassword(password.toCharArray());
    options.setSocketFactory(cloud.clientTls().getSocketFactory());
    client.connect(options);
    return client;
  }

  /** Publishes as another client, which disconnects after this message. */
  public void publish(String user, String password, String topic, String payload)
      throws MqttException {
    MqttClient client = client("publisher", user, password);
    try {
      client.publish(topic, payload.getBytes(UTF_8), 1, false);
      client.disconnect();
    } finally {
      client.close(true);
    }
  }

  /** Number of log lines with this text. */
  public long count(String text) {
    return log().stream().filter(line -> line.contains(text)).count();
  }

  /** Maximum number of simultaneous connections of a user, over all starts of the broker. */
  public int maxConnections(String user) {
    String connected = "New client connected from ";
    int open = 0;
    int max = 0;
    Optional<String> id = Optional.empty();
    for (String line : log()) {
      if (line.contains(connected) && line.endsWith("u'" + user + "').")) {
        id = Optional.of(line.replaceFirst(".* as (\\S+) .*", "$1"));
        max = Math.max(max, ++open);
      } else if (line.endsWith(STARTED)) {
        open = 0;
      } else if (id.isPresent() && line.contains(": Client " + id.get() + " ")) {
        // The client disconnected, closed its connection, exceeded its time-out, or was replaced.
        open--;
      }
    }
    assertTrue(open >= 0, () -> "more disconnects than connects: " + log());
    return max;
  }

  @Override
  public void close() {
    if (process != null) {
      kill();
    }
  }
}
