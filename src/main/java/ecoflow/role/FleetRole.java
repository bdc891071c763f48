package ecoflow.role;

import ecoflow.config.ConfigException;
import java.util.function.Consumer;

/** The part of a collector or a server that uses Kafka. */
public interface FleetRole extends AutoCloseable {

  /** Binds the beans of the role's route file. */
  void bind(Parts parts);

  /**
   * Checks the topics before the routes start. If Kafka does not answer within a few seconds, logs
   * a line and returns, and {@link #watch} repeats the check.
   *
   * @throws ConfigException if a topic is missing or unsuitable
   */
  void check() throws ConfigException;

  /**
   * Called after the start of the routes.
   *
   * @param unusable receives one line if Kafka answers later and a topic is missing or unsuitable
   */
  void watch(Consumer<String> unusable);

  @Override
  void close();
}
