package ecoflow.testkit;

import io.moquette.broker.Server;
import io.moquette.broker.config.IConfig;
import io.moquette.broker.config.MemoryConfig;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttQoS;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Properties;

/** A local MQTT broker on a loopback port, without TLS and logins. */
public final class LocalBroker implements AutoCloseable {

  private final int port = Ports.next();

  /** Null while the broker is down. */
  private Server server;

  /** Does not start it. */
  public LocalBroker() {}

  public String url() {
    return "tcp://127.0.0.1:" + port;
  }

  public void start() {
    Properties settings = new Properties();
    settings.setProperty(IConfig.HOST_PROPERTY_NAME, "127.0.0.1");
    settings.setProperty(IConfig.PORT_PROPERTY_NAME, String.valueOf(port));
    settings.setProperty(IConfig.PERSISTENCE_ENABLED_PROPERTY_NAME, "false");
    settings.setProperty(IConfig.ENABLE_TELEMETRY_NAME, "false");
    server = new Server();
    try {
      server.startServer(new MemoryConfig(settings));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void publish(String topic, String payload) {
    server.internalPublish(
        MqttMessageBuilders.publish()
            .topicName(topic)
            .qos(MqttQoS.AT_LEAST_ONCE)
            .retained(false)
            .payload(Unpooled.wrappedBuffer(payload.getBytes(StandardCharsets.UTF_8)))
            .build(),
        "local-broker");
  }

  public void stop() {
    server.stopServer();
    server = null;
  }

  @Override
  public void close() {
    if (server != null) {
      stop();
    }
  }
}
