package ecoflow.offline;

import ecoflow.account.Accounts;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.history.EnergyHistory;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;

/** The beans of the exporter for one Camel context. */
public interface ExporterBeans extends CamelConfiguration, AutoCloseable {

  /** Creates the beans of a context. */
  interface Factory {

    /**
     * @throws ConfigException if a file or a registry named in the settings cannot be used
     */
    ExporterBeans create(Settings settings) throws ConfigException;
  }

  @Override
  void configure(CamelContext camel);

  /** Disables reconnects: a connection that is lost or expired stays closed. */
  void connectOnce();

  Accounts accounts();

  /** The devices that the routes serve; null before {@link #configure}. */
  Devices devices();

  /** EcoFlow's energy history; null without developer keys, and before {@link #configure}. */
  EnergyHistory energyHistory();

  /** Closes the MQTT connection, so that no route waits for a response of the broker. */
  void disconnect();

  @Override
  void close();
}
