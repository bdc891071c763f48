package ecoflow.mqtt;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.api.Api;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.text.Lines;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import javax.net.ssl.TrustManagerFactory;
import org.apache.camel.spi.Registry;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The MQTT connections of accounts: the client for routes, and the schedule of reconnects. */
public final class Mqtt implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Mqtt.class);

  private final Devices devices;
  private final Meters meters;
  private final Lines lines;
  private final MqttLink link;
  private final LinkKeeper keeper;

  /**
   * @param vertx has two event loops; the connections have exclusive use of one
   * @param kinds returns equal objects for payloads of which only the newest is relevant
   * @param triggerConnect starts the route that connects, and does not wait for its result
   * @param forgetLogin makes the next attempt log in again
   */
  public Mqtt(
      Settings settings,
      Accounts accounts,
      Vertx vertx,
      TrustManagerFactory trust,
      Devices devices,
      Api api,
      Meters meters,
      Function<byte[], ?> kinds,
      LongSupplier nanoClock,
      Consumer<Account> triggerConnect,
      Consumer<Account> forgetLogin) {
    this.devices = devices;
    this.meters = meters;
    this.lines = new Lines(LOG, nanoClock, Duration.ofHours(1), false);
    try {
      this.link =
          new MqttLink(
              vertx,
              accounts,
              new ServedDevices(devices),
              trust,
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
            link, devices::commonSilence, api, meters, nanoClock, triggerConnect, forgetLogin);
    meters.registerConnections(link::isConnected);
  }

  private record ServedDevices(Devices devices) implements MqttLink.Served {

    @Override
    public List<String> serials(Account account) {
      return devices.serials(account);
    }

    @Override
    public boolean isServed(Account account, String serial) {
      return devices.isServed(account, serial);
    }

    @Override
    public Optional<Account> account(String serial) {
      return devices.account(serial);
    }
  }

  /** Binds {@code mqttLink} and {@code linkKeeper}. */
  public void bind(Registry registry) {
    registry.bind("mqttLink", link);
    registry.bind("linkKeeper", keeper);
  }

  private void dropped(String serial) {
    meters.messageDropped(devices.account(serial));
    lines.warn(
        serial,
        "Device "
            + Lines.oneLine(serial)
            + " sends messages faster than they can be processed: dropping the oldest ones");
  }

  public boolean isConnected(Account account) {
    return link.isConnected(account);
  }

  /** Whether the broker refused a subscription to a topic of the device. */
  public boolean isRefused(String serial) {
    return devices
        .account(serial)
        .filter(account -> link.refusedDevices(account).contains(serial))
        .isPresent();
  }

  /**
   * Connects an account again with changed settings.
   *
   * @param withLogin whether the credentials have changed
   */
  public void reconnect(Account account, boolean withLogin) {
    keeper.reconnect(account, withLogin);
  }

  /** Subscribes to the topics of a device that the account serves now; does not wait for it. */
  public void deviceAdded(Account account) {
    link.deviceAdded(account);
  }

  /** Closes the connection of an account permanently, also during an attempt to connect. */
  public void close(Account account) {
    link.close(account);
    // After that, because an attempt that fails in the meantime schedules the next one.
    keeper.close(account);
  }

  /** Closes all connections permanently, also during attempts to connect. */
  @Override
  public void close() {
    keeper.close();
    link.close();
  }
}
