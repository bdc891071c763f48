package ecoflow.mqtt;

import ecoflow.api.Api;
import ecoflow.config.Settings;
import ecoflow.meters.Meters;
import ecoflow.text.Lines;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.net.ssl.TrustManagerFactory;
import org.apache.camel.spi.Registry;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The MQTT connection of an account: the client for routes, and the schedule of reconnects. */
public final class Mqtt implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Mqtt.class);

  private final Meters meters;
  private final Lines lines;
  private final MqttLink link;
  private final LinkKeeper keeper;

  /**
   * @param vertx has two event loops; the connection has exclusive use of one
   * @param serials returns the devices to subscribe to; called for each connection
   * @param normalSilence returns the longest normal time without a message from any device
   * @param kinds returns equal objects for payloads of which only the newest is relevant
   * @param triggerConnect starts the route that connects, and does not wait for its result
   * @param forgetLogin makes the next attempt log in again
   */
  public Mqtt(
      Settings settings,
      Vertx vertx,
      TrustManagerFactory trust,
      Supplier<List<String>> serials,
      Supplier<Duration> normalSilence,
      Api api,
      Meters meters,
      Function<byte[], ?> kinds,
      LongSupplier nanoClock,
      Runnable triggerConnect,
      Runnable forgetLogin) {
    this.meters = meters;
    this.lines = new Lines(LOG, nanoClock, Duration.ofHours(1), false);
    try {
      this.link =
          new MqttLink(
              vertx,
              serials,
              trust,
              settings.mqtt().keepalive(),
              settings.http().timeout(),
              settings.http().proxy(),
              kinds,
              this::dropped,
              nanoClock);
    } catch (MqttException e) {
      throw new IllegalStateException("creating an MQTT client does not connect", e);
    }
    this.keeper =
        new LinkKeeper(
            settings, link, normalSilence, api, meters, nanoClock, triggerConnect, forgetLogin);
    meters.registerConnection(link::isConnected);
  }

  /** Binds {@code mqttLink} and {@code linkKeeper}. */
  public void bind(Registry registry) {
    registry.bind("mqttLink", link);
    registry.bind("linkKeeper", keeper);
  }

  private void dropped(String serial) {
    meters.messageDropped();
    lines.warn(
        serial,
        "Device "
            + Lines.oneLine(serial)
            + " sends messages faster than they can be processed: dropping the oldest ones");
  }

  public boolean isConnected() {
    return link.isConnected();
  }

  /** Closes the connection permanently, also during an attempt to connect. */
  @Override
  public void close() {
    keeper.close();
    link.close();
  }
}
