package ecoflow.cloud;

import io.moquette.broker.ClientDescriptor;
import io.moquette.broker.Server;
import io.moquette.broker.config.IConfig;
import io.moquette.broker.config.MemoryConfig;
import io.moquette.broker.security.IAuthorizatorPolicy;
import io.moquette.broker.subscriptions.Topic;
import io.moquette.interception.AbstractInterceptHandler;
import io.moquette.interception.messages.InterceptConnectMessage;
import io.moquette.interception.messages.InterceptConnectionLostMessage;
import io.moquette.interception.messages.InterceptDisconnectMessage;
import io.moquette.interception.messages.InterceptPublishMessage;
import io.moquette.interception.messages.InterceptSubscribeMessage;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Predicate;
import javax.net.ssl.SSLException;

/** The MQTT broker of the simulated cloud: one TLS port on loopback. */
final class CloudBroker {

  /** Decides on a login. */
  interface Logins {
    boolean accept(String clientId, String user, String password);
  }

  private static final int MAX_MESSAGE_BYTES = 8 << 20;

  /** The sender of messages that the cloud itself publishes. */
  private static final String CLOUD = "cloud";

  private final CloudCertificates.Identity identity;
  private final Logins logins;
  private final Consumer<ReceivedMessage> receiver;

  private final int port;

  /** Locked for writing while the broker starts or stops; messages in that time are lost. */
  private final ReadWriteLock lifecycle = new ReentrantReadWriteLock();

  /** Null while the broker is down. */
  private Server server;

  private int open;
  private int maxOpen;

  final Queue<ReceivedMessage> messages = new ConcurrentLinkedQueue<>();
  final Queue<ConnectAttempt> connects = new ConcurrentLinkedQueue<>();
  final Queue<String> connectionEvents = new ConcurrentLinkedQueue<>();
  final Queue<String> subscriptions = new ConcurrentLinkedQueue<>();
  volatile BiPredicate<String, String> mayRead = (user, topic) -> true;
  volatile Predicate<String> closesClient = clientId -> false;
  volatile Predicate<String> refusedSubscriptions = topic -> false;

  CloudBroker(
      int port,
      CloudCertificates.Identity identity,
      Logins logins,
      Consumer<ReceivedMessage> receiver) {
    this.port = port == 0 ? freePort() : port;
    this.identity = identity;
    this.logins = logins;
    this.receiver = receiver;
  }

  int port() {
    return port;
  }

  void start() {
    lifecycle.writeLock().lock();
    try {
      if (server == null) {
        server = startServer();
      }
    } finally {
      lifecycle.writeLock().unlock();
    }
  }

  void stop() {
    lifecycle.writeLock().lock();
    try {
      if (server != null) {
        server.stopServer();
        server = null;
        synchronized (this) {
          open = 0;
        }
      }
    } finally {
      lifecycle.writeLock().unlock();
    }
  }

  /** Drops the message when the broker is down. */
  void publish(String topic, byte[] payload) {
    ifRunning(
        running ->
            running.internalPublish(
                MqttMessageBuilders.publish()
                    .topicName(topic)
                    .qos(MqttQoS.AT_LEAST_ONCE)
                    .retained(false)
                    .payload(Unpooled.wrappedBuffer(payload))
                    .build(),
                CLOUD));
  }

  /** Closes the connections of these client IDs. */
  void kickClients(Predicate<String> clientIds) {
    ifRunning(
        running ->
            running.listConnectedClients().stream()
                .map(ClientDescriptor::getClientID)
                .filter(clientIds)
                .forEach(running::disconnectClient));
  }

  private void ifRunning(Consumer<Server> action) {
    // Does not wait for the lock, because stop() waits for the thread that answers requests.
    if (lifecycle.readLock().tryLock()) {
      try {
        if (server != null) {
          action.accept(server);
        }
      } finally {
        lifecycle.readLock().unlock();
      }
    }
  }

  private Server startServer() {
    Properties settings = new Properties();
    settings.setProperty(IConfig.HOST_PROPERTY_NAME, "127.0.0.1");
    settings.setProperty(IConfig.PORT_PROPERTY_NAME, "disabled");
    settings.setProperty(IConfig.SSL_PORT_PROPERTY_NAME, String.valueOf(port));
    settings.setProperty(IConfig.ALLOW_ANONYMOUS_PROPERTY_NAME, "false");
    settings.setProperty(IConfig.PERSISTENCE_ENABLED_PROPERTY_NAME, "false");
    settings.setProperty(IConfig.ENABLE_TELEMETRY_NAME, "false");
    settings.setProperty(IConfig.NETTY_MAX_BYTES_PROPERTY_NAME, String.valueOf(MAX_MESSAGE_BYTES));
    Server started = new Server();
    try {
      started.startServer(
          new MemoryConfig(settings),
          List.of(new Observer()),
          this::sslContext,
          this::checkLogin,
          new Access());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    EarlySubscriptions.installIn(started);
    return started;
  }

  synchronized int openConnections() {
    return open;
  }

  synchronized int maxOpenConnections() {
    return maxOpen;
  }

  private synchronized void countConnections(int change, String event, String clientId) {
    connectionEvents.add(Instant.now() + " " + event + " " + clientId);
    open = Math.max(0, open + change);
    maxOpen = Math.max(maxOpen, open);
  }

  private boolean checkLogin(String clientId, String user, byte[] password) {
    String text = password == null ? null : new String(password, StandardCharsets.UTF_8);
    boolean accepted = logins.accept(clientId, user, text);
    connects.add(new ConnectAttempt(Instant.now(), clientId, user, accepted));
    return accepted;
  }

  /** Moquette can choose a free port itself, but reports it too late. */
  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SslContext sslContext() {
    try {
      return SslContextBuilder.forServer(identity.key(), identity.certificate())
          .sslProvider(SslProvider.JDK)
          .build();
    } catch (SSLException e) {
      throw new IllegalStateException("Cannot set up TLS", e);
    }
  }

  private final class Access implements IAuthorizatorPolicy {
    @Override
    public boolean canWrite(Topic topic, String user, String client) {
      return true;
    }

    @Override
    public boolean canRead(Topic topic, String user, String client) {
      String text = topic.toString();
      return mayRead.test(user, text) && !refusedSubscriptions.test(text);
    }
  }

  /** Observes clients, on one thread of the broker, shortly after each event. */
  private final class Observer extends AbstractInterceptHandler {
    @Override
    public String getID() {
      return "simulated-cloud";
    }

    @Override
    public void onConnect(InterceptConnectMessage message) {
      countConnections(1, "connected", message.getClientID());
    }

    @Override
    public void onDisconnect(InterceptDisconnectMessage message) {
      countConnections(-1, "disconnected", message.getClientID());
    }

    @Override
    public void onConnectionLost(InterceptConnectionLostMessage message) {
      countConnections(-1, "lost", message.getClientID());
    }

    @Override
    public void onSubscribe(InterceptSubscribeMessage message) {
      subscriptions.add(message.getTopicFilter());
      if (closesClient.test(message.getClientID())) {
        kickClients(message.getClientID()::equals);
      }
    }

    @Override
    public void onPublish(InterceptPublishMessage message) {
      ReceivedMessage received =
          new ReceivedMessage(
              Instant.now(),
              message.getClientID(),
              message.getTopicName(),
              ByteBufUtil.getBytes(message.getPayload()));
      // Releases the payload.
      super.onPublish(message);
      if (!CLOUD.equals(received.clientId())) {
        messages.add(received);
        receiver.accept(received);
      }
    }

    @Override
    public void onSessionLoopError(Throwable error) {
      throw new IllegalStateException("The broker failed", error);
    }
  }
}
