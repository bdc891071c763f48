package ecoflow.training;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocketFactory;

/**
 * The servers for a {@link Training} run, with TLS: the API of an account, and a broker that
 * publishes the pushes of a device to each subscriber. They implement only the parts of HTTP and
 * MQTT that the run requires.
 */
final class TrainingCloud implements AutoCloseable {

  private static final String LOOPBACK = "127.0.0.1";
  private static final char[] PASSWORD = "training".toCharArray();
  private static final String NEW_KEY =
      "-genkeypair -alias training -keyalg EC -dname CN=training -validity 2 -storetype PKCS12"
          + " -storepass training -ext SAN=ip:127.0.0.1 -keystore";

  private static final String LOGIN =
      """
      {"code": "0", "message": "Success", "data": {"token": "training", "user": {"userId": "1"}}}
      """;
  private static final String CERTIFICATION =
      """
      {"code": "0", "message": "Success", "data": {"url": "127.0.0.1", "port": "PORT", "protocol": "mqtts",
       "certificateAccount": "training", "certificatePassword": "training"}}
      """;

  // MQTT packet types: the upper half of the first byte.
  private static final int CONNECT = 1;
  private static final int PUBLISH = 3;
  private static final int SUBSCRIBE = 8;
  private static final int PING = 12;

  private final List<byte[]> pushes;
  private final String topic;
  private final Path caFile;
  private final ServerSocket api;
  private final ServerSocket broker;

  /**
   * @param directory the directory for the certificate
   * @param topic the topic of the pushes
   */
  TrainingCloud(Path directory, String topic, List<byte[]> pushes)
      throws IOException, GeneralSecurityException, InterruptedException {
    this.topic = topic;
    this.pushes = pushes;
    KeyStore store = store(directory.resolve("key"));
    caFile = directory.resolve("ca");
    Files.write(caFile, store.getCertificate("training").getEncoded());
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, PASSWORD);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(keys.getKeyManagers(), null, null);
    api = listen(tls.getServerSocketFactory(), this::serveApi);
    broker = listen(tls.getServerSocketFactory(), this::serveMqtt);
  }

  /** Creates a certificate with keytool, because the JDK has no public API for this. */
  private static KeyStore store(Path file)
      throws IOException, GeneralSecurityException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(NEW_KEY.split(" ")));
    command.add(file.toString());
    Process keytool =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!keytool.waitFor(Training.TIMEOUT_SECONDS, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
      keytool.destroy();
      throw new IOException("keytool failed to create a certificate");
    }
    return KeyStore.getInstance(file.toFile(), PASSWORD);
  }

  String host() {
    return LOOPBACK + ":" + api.getLocalPort();
  }

  Path caFile() {
    return caFile;
  }

  /** Responds to unknown paths with 503, like a cloud that is unavailable. */
  private void serveApi(Socket caller) throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(caller.getInputStream(), US_ASCII));
    String request = in.readLine();
    if (request == null) {
      return;
    }
    String path = request.split("[ ?]")[1];
    long length = 0;
    for (String header = in.readLine();
        header != null && !header.isEmpty();
        header = in.readLine()) {
      if (header.regionMatches(true, 0, "Content-Length:", 0, 15)) {
        length = Long.parseLong(header.substring(15).strip());
      }
    }
    for (; length > 0; length--) {
      in.read();
    }
    String body =
        switch (path) {
          case "/auth/login" -> LOGIN;
          case "/iot-auth/app/certification" ->
              CERTIFICATION.replace("PORT", Integer.toString(broker.getLocalPort()));
          default -> "";
        };
    String status = body.isEmpty() ? "503 Service Unavailable" : "200 OK";
    String answer =
        String.join(
            "\r\n",
            "HTTP/1.1 " + status,
            "Content-Type: application/json",
            "Content-Length: " + body.length(),
            "Connection: close",
            "",
            body);
    caller.getOutputStream().write(answer.getBytes(US_ASCII));
  }

  private void serveMqtt(Socket caller) throws IOException {
    DataInputStream in = new DataInputStream(caller.getInputStream());
    OutputStream out = caller.getOutputStream();
    for (int first = in.read(); first >= 0; first = in.read()) {
      ByteBuffer packet = ByteBuffer.wrap(in.readNBytes(length(in)));
      switch (first >> 4) {
        case CONNECT -> out.write(new byte[] {0x20, 2, 0, 0});
        case SUBSCRIBE -> {
          out.write(subscribed(packet));
          for (byte[] push : pushes) {
            out.write(publish(push));
          }
        }
        case PUBLISH -> {
          packet.position(2 + packet.getShort(0));
          out.write(new byte[] {0x40, 2, packet.get(), packet.get()});
        }
        case PING -> out.write(new byte[] {(byte) 0xd0, 0});
        default -> {
          // Acknowledgements and DISCONNECT.
        }
      }
    }
  }

  /** The remaining length: seven bits per byte, lowest first. */
  private static int length(DataInputStream in) throws IOException {
    int length = 0;
    int shift = 0;
    int next;
    do {
      next = in.readUnsignedByte();
      length |= (next & 0x7f) << shift;
      shift += 7;
    } while (next > 0x7f);
    return length;
  }

  /**
   * SUBACK with QoS 0 for each topic. The packet contains an id, and topics followed by one byte
   * each.
   */
  private static byte[] subscribed(ByteBuffer subscription) {
    byte[] id = {subscription.get(), subscription.get()};
    int topics = 0;
    while (subscription.hasRemaining()) {
      subscription.position(
          subscription.position() + 2 + subscription.getShort(subscription.position()) + 1);
      topics++;
    }
    return ByteBuffer.allocate(4 + topics)
        .put((byte) 0x90)
        .put((byte) (2 + topics))
        .put(id)
        .array();
  }

  /** PUBLISH with QoS 1. */
  private byte[] publish(byte[] payload) {
    byte[] name = topic.getBytes(US_ASCII);
    int length = 2 + name.length + 2 + payload.length;
    return ByteBuffer.allocate(3 + length)
        .put((byte) 0x32)
        .put((byte) (length | 0x80))
        .put((byte) (length >> 7))
        .putShort((short) name.length)
        .put(name)
        .putShort((short) 1)
        .put(payload)
        .array();
  }

  private interface Protocol {
    void serve(Socket caller) throws IOException;
  }

  private static ServerSocket listen(SSLServerSocketFactory sockets, Protocol protocol)
      throws IOException {
    ServerSocket server = sockets.createServerSocket(0, 8, InetAddress.getByName(LOOPBACK));
    Thread thread = new Thread(() -> accept(server, protocol), "training");
    thread.setDaemon(true);
    thread.start();
    return server;
  }

  /** Serves one client at a time, which is sufficient for the run. */
  private static void accept(ServerSocket server, Protocol protocol) {
    while (!server.isClosed()) {
      try (Socket caller = server.accept()) {
        protocol.serve(caller);
      } catch (IOException e) {
        // The client reports the timeout.
      }
    }
  }

  @Override
  public void close() throws IOException {
    api.close();
    broker.close();
  }
}
