package ecoflow.mqtt;

import ecoflow.account.Account;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.runtime.OutOfMemory;
import ecoflow.testkit.OneAccount;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
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
    OneAccount one =
        OneAccount.of(
            Map.of(
                "ECOFLOW_ACCOUNT_USER", "user",
                "ECOFLOW_ACCOUNT_PASSWORD", "password",
                "ECOFLOW_DEVICE_SN", "all",
                "ECOFLOW_CA_FILE", cloud.caFile().toString()));
    Account account = one.account();
    MqttLink link =
        new MqttLink(
            Vertx.vertx(),
            one.accounts(),
            new OneDevice(device.serial(), account),
            one.settings().http().trust(),
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
        account,
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
}
