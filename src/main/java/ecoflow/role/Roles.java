package ecoflow.role;

import ecoflow.config.ConfigException;
import ecoflow.config.KafkaSettings;
import ecoflow.config.KafkaSettings.Role;
import java.lang.reflect.InvocationTargetException;

/** Creates the role of the process. */
public final class Roles {

  private Roles() {}

  /**
   * @throws ConfigException if the jars of the directory lib/fleet are not on the class path
   */
  public static History history(KafkaSettings settings) throws ConfigException {
    return create(settings, "ecoflow.fleet.KafkaHistory", History.class);
  }

  /**
   * @throws ConfigException if the jars of the directory lib/fleet are not on the class path
   */
  public static FleetRole load(KafkaSettings settings) throws ConfigException {
    return create(settings, name(settings.role()), FleetRole.class);
  }

  /**
   * @throws ConfigException if the jars of the directory lib/fleet are not on the class path
   */
  public static void check(Role role) throws ConfigException {
    try {
      Class.forName(name(role));
    } catch (ClassNotFoundException | NoClassDefFoundError e) {
      throw missing(role);
    }
  }

  private static String name(Role role) {
    return switch (role) {
      case ALL -> throw new IllegalArgumentException("role all does not use Kafka");
      case COLLECT -> "ecoflow.fleet.Collector";
      case SERVE -> "ecoflow.fleet.Server";
    };
  }

  private static ConfigException missing(Role role) {
    return new ConfigException(
        KafkaSettings.ROLE
            + "="
            + role.label()
            + " requires the jars of lib/fleet: start bin/ecoflow-exporter of the distribution, or"
            + " use the image ecoflow-exporter-fleet");
  }

  private static <T> T create(KafkaSettings settings, String name, Class<T> type)
      throws ConfigException {
    try {
      // Kafka's client logs each attempt to connect. The role logs one line for an outage.
      if (System.getProperty("org.slf4j.simpleLogger.log.org.apache.kafka") == null) {
        System.setProperty("org.slf4j.simpleLogger.log.org.apache.kafka", "error");
      }
      return type.cast(
          Class.forName(name).getConstructor(KafkaSettings.class).newInstance(settings));
    } catch (ClassNotFoundException | NoClassDefFoundError e) {
      throw missing(settings.role());
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
