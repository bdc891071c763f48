package ecoflow.mqtt;

import ecoflow.api.Api;
import ecoflow.config.Settings;
import ecoflow.meters.Meters;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.net.ssl.TrustManagerFactory;
import org.apache.camel.spi.Registry;
import org.eclipse.paho.client.mqttv3.MqttException;

/** The one MQTT connection of an account: the client that routes name, and who keeps it up. */
public final class Mqtt implements AutoCloseable {

  private final MqttLink link;
  private final LinkKeeper keeper;

  /**
   * @param vertx has two event loops: the connection takes one for itself
   * @param serials the devices to subscribe to, asked at each connection
   * @param normalSilence the longest time without a message from any device that is normal
   * @param makeConnection asks the route for an attempt to connect, and does not wait for it
   * @param forgetLogin makes the next attempt log in anew
   */
  public Mqtt(
      Settings settings,
      Vertx vertx,
      TrustManagerFactory trust,
      Supplier<List<String>> serials,
      Supplier<Duration> normalSilence,
      Api api,
      Meters meters,
      LongSupplier nanoClock,
      Runnable makeConnection,
      Runnable forgetLogin) {
    try {
      this.link =
          new MqttLink(
              vertx,
              serials,
              trust,
              settings.mqtt().keepalive(),
              settings.http().timeout(),
              settings.http().proxy(),
              nanoClock);
    } catch (MqttException e) {
      throw new IllegalStateException("an MQTT client can be made without a connection", e);
    }
    this.keeper =
        new LinkKeeper(
            settings, link, normalSilence, api, meters, nanoClock, makeConnection, forgetLogin);
    meters.followConnection(link::isConnected);
  }

  /** Binds {@code mqttLink} and {@code linkKeeper}. */
  public void bind(Registry registry) {
    registry.bind("mqttLink", link);
    registry.bind("linkKeeper", keeper);
  }

  public boolean isConnected() {
    return link.isConnected();
  }

  /** Ends the connection for good, also in the middle of an attempt to connect. */
  @Override
  public void close() {
    keeper.close();
    link.close();
  }
}
