package ecoflow.testkit;

import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A TLS server in place of the cloud's MQTT broker that can write any bytes, including invalid
 * ones. Each connection runs the script in its own thread; the connection stays open when the
 * script returns, and is closed when the script fails.
 */
public final class RawBroker implements AutoCloseable {

  /** The behaviour of the broker on one connection. */
  public interface Script {
    void run(Session session) throws IOException;
  }

  /** One connection of a client. */
  public static final class Session {

    private static final int CONNACK = 0x20;
    private static final int SUBSCRIBE = 8;
    private static final int SUBACK = 0x90;

    private final DataInputStream in;
    private final OutputStream out;

    private Session(Socket socket) throws IOException {
      this.in = new DataInputStream(socket.getInputStream());
      this.out = socket.getOutputStream();
    }

    /** Reads one packet and returns its first byte. */
    public int readPacket() throws IOException {
      return readPacketBytes()[0] & 0xff;
    }

    private byte[] readPacketBytes() throws IOException {
      int type = in.readUnsignedByte();
      int length = 0;
      int digit;
      int shift = 0;
      do {
        digit = in.readUnsignedByte();
        length |= (digit & 0x7f) << shift;
        shift += 7;
      } while (digit >= 0x80);
      byte[] body = in.readNBytes(length);
      return ByteBuffer.allocate(1 + body.length).put((byte) type).put(body).array();
    }

    public void write(byte... bytes) throws IOException {
      out.write(bytes);
      out.flush();
    }

    /** Accepts the login. */
    public void acceptLogin() throws IOException {
      readPacket();
      write((byte) CONNACK, (byte) 2, (byte) 0, (byte) 0);
    }

    /** Accepts the login and the given number of SUBSCRIBE packets with one topic each. */
    public void accept(int subscriptions) throws IOException {
      acceptLogin();
      for (int left = subscriptions; left > 0; ) {
        byte[] packet = readPacketBytes();
        if ((packet[0] & 0xf0) >> 4 == SUBSCRIBE) {
          write((byte) SUBACK, (byte) 3, packet[1], packet[2], (byte) 1);
          left--;
        }
      }
    }

    /** A PUBLISH packet of QoS 0. */
    public static byte[] publish(String topic, byte[] payload) {
      byte[] name = topic.getBytes(StandardCharsets.UTF_8);
      int length = 2 + name.length + payload.length;
      ByteBuffer packet = ByteBuffer.allocate(length + 5);
      packet.put((byte) 0x30);
      int left = length;
      do {
        int digit = left & 0x7f;
        left >>= 7;
        packet.put((byte) (left > 0 ? digit | 0x80 : digit));
      } while (left > 0);
      packet.putShort((short) name.length).put(name).put(payload).flip();
      byte[] bytes = new byte[packet.remaining()];
      packet.get(bytes);
      return bytes;
    }
  }

  private final ServerSocket server;
  private final Script script;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final List<String> failures = new CopyOnWriteArrayList<>();

  /**
   * Starts the server and configures it as the broker of the cloud.
   *
   * @param directory location of the key and the certificate of the server
   */
  public RawBroker(SimulatedCloud cloud, Path directory, Script script) throws IOException {
    this.script = script;
    Path key = directory.resolve("broker.key");
    Path certificate = directory.resolve("broker.pem");
    cloud.writeIdentity(ServerCertificate.TRUSTED, key, certificate);
    JdkSslContext tls =
        (JdkSslContext)
            SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                .sslProvider(SslProvider.JDK)
                .build();
    server =
        tls.context()
            .getServerSocketFactory()
            .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    cloud.setBroker("localhost", server.getLocalPort(), "user", "password");
    thread(this::accept);
  }

  private static void thread(Runnable work) {
    Thread thread = new Thread(work, "raw-broker");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        thread(() -> serve(socket));
      }
    } catch (IOException e) {
      // Already closed.
    }
  }

  private void serve(Socket socket) {
    try {
      script.run(new Session(socket));
    } catch (IOException e) {
      failures.add(String.valueOf(e.getMessage()));
      close(socket);
    }
  }

  /** Number of connections. */
  public int connections() {
    return sockets.size();
  }

  /** Number of connections that ended while their script ran. */
  public int ended() {
    return failures.size();
  }

  private static void close(AutoCloseable socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    close(server);
    sockets.forEach(RawBroker::close);
  }
}
