package ecoflow.role;

import ecoflow.config.ConfigException;
import ecoflow.config.KafkaSettings;
import java.lang.reflect.InvocationTargetException;

/** Creates the role of the process. */
public final class Roles {

  private Roles() {}

  /**
   * @throws ConfigException if the jars of the directory lib/fleet are not on the class path
   */
  public static FleetRole load(KafkaSettings settings) throws ConfigException {
    String name =
        switch (settings.role()) {
          case ALL -> throw new IllegalArgumentException("role all does not use Kafka");
          case COLLECT -> "ecoflow.fleet.Collector";
          case SERVE -> "ecoflow.fleet.Server";
        };
    try {
      // Kafka's client logs each attempt to connect. The role logs one line for an outage.
      if (System.getProperty("org.slf4j.simpleLogger.log.org.apache.kafka") == null) {
        System.setProperty("org.slf4j.simpleLogger.log.org.apache.kafka", "error");
      }
      return (FleetRole)
          Class.forName(name).getConstructor(KafkaSettings.class).newInstance(settings);
    } catch (ClassNotFoundException | NoClassDefFoundError e) {
      throw new ConfigException(
          KafkaSettings.ROLE
              + "="
              + settings.role().label()
              + " requires the jars of lib/fleet: start bin/ecoflow-exporter of the distribution, or"
              + " use the image ecoflow-exporter-fleet");
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
