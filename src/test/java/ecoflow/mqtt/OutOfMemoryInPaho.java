package ecoflow.mqtt;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.config.Settings;
import ecoflow.runtime.OutOfMemory;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttMessage;

/**
 * A process that runs out of memory in a Paho callback, while a message is passed to the routes.
 */
public final class OutOfMemoryInPaho {

  private OutOfMemoryInPaho() {}

  /** Argument: the message of the error. */
  public static void main(String[] arguments) throws Exception {
    OutOfMemory.watchProcess();
    SimulatedDevice device =
        new SimulatedDevice("R331ZMEMORY00001", "Garage", "DELTA 2", WireFormat.JSON);
    SimulatedCloud cloud = SimulatedCloud.start().add(device);
    cloud.setAnyClientId(true);
    MqttLink link =
        new MqttLink(
            Vertx.vertx(),
            () -> List.of(device.serial()),
            trust(cloud),
            Duration.ofSeconds(60),
            Duration.ofSeconds(60),
            Optional.empty(),
            payload -> "",
            dropped -> {},
            System::nanoTime);
    link.setCallback(
        new MqttCallback() {
          @Override
          public void messageArrived(String topic, MqttMessage message) {
            throw new OutOfMemoryError(arguments[0]);
          }

          @Override
          public void connectionLost(Throwable cause) {
            // Ignored, as by a Camel consumer.
          }

          @Override
          public void deliveryComplete(IMqttDeliveryToken token) {
            // The test does not publish.
          }
        });
    link.subscribe("/app/device/property/{device}", 1);
    link.open(
        new BrokerLogin(
            "localhost",
            cloud.mqttPort(),
            cloud.certificateAccount(),
            cloud.certificatePassword(),
            cloud.account().userId(),
            "client",
            Duration.ofHours(20)));
    device.push(Map.of("pd.soc", 1));
    Thread.sleep(Long.MAX_VALUE);
  }

  private static TrustManagerFactory trust(SimulatedCloud cloud) throws Exception {
    return Settings.from(
            Map.of(
                "ECOFLOW_ACCOUNT_USER", "user",
                "ECOFLOW_ACCOUNT_PASSWORD", "password",
                "ECOFLOW_DEVICE_SN", "all",
                "ECOFLOW_CA_FILE", cloud.caFile().toString()))
        .http()
        .trust();
  }
}
