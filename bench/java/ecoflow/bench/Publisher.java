package ecoflow.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;

/** Publishes with QoS 0 over MQTT 3.1.1, with as little work per message as possible. */
final class Publisher implements AutoCloseable {

  private static final int BUFFER = 1 << 16;
  private static final int CONNECT = 0x10;
  private static final int PUBLISH = 0x30;

  private final Socket socket;
  private final DataOutputStream out;

  Publisher(int port, String user, String password) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), BUFFER));
    connect(user, password);
  }

  private void connect(String user, String password) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream packet = new DataOutputStream(bytes);
    packet.writeUTF("MQTT");
    packet.writeByte(4);
    // User name, password, clean session; no keep-alive.
    packet.writeByte(0xc2);
    packet.writeShort(0);
    packet.writeUTF("load-" + socket.getLocalPort());
    packet.writeUTF(user);
    packet.writeUTF(password);
    out.writeByte(CONNECT);
    writeLength(bytes.size());
    bytes.writeTo(out);
    out.flush();
    byte[] acknowledged = new byte[4];
    new DataInputStream(socket.getInputStream()).readFully(acknowledged);
    if (acknowledged[3] != 0) {
      throw new IOException("the broker rejected the connection: " + acknowledged[3]);
    }
  }

  /** Adds a message to the buffer, which is sent with {@link #flush} or when it is full. */
  void publish(String topic, byte[] payload) throws IOException {
    byte[] name = topic.getBytes(UTF_8);
    out.writeByte(PUBLISH);
    writeLength(2 + name.length + payload.length);
    out.writeShort(name.length);
    out.write(name);
    out.write(payload);
  }

  void flush() throws IOException {
    out.flush();
  }

  private void writeLength(int length) throws IOException {
    int rest = length;
    while (rest > 0x7f) {
      out.writeByte(rest & 0x7f | 0x80);
      rest >>>= 7;
    }
    out.writeByte(rest);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
