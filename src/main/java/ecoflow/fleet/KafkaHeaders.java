package ecoflow.fleet;

import ecoflow.quota.Quotas;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.spi.HeaderFilterStrategy;

/**
 * The headers of records, bean {@code kafkaHeaders}: only those of the documented list, because
 * messages of other routes can have headers with secrets.
 */
final class KafkaHeaders implements HeaderFilterStrategy {

  static final String TOPIC = "EcoflowTopic";
  static final String ACCOUNT = "EcoflowAccount";
  static final String MODE = "EcoflowMode";
  static final String SCHEMA = "EcoflowSchema";

  private static final Set<String> ALLOWED =
      Set.of(
          Quotas.SOURCE,
          Quotas.FULL,
          Quotas.ONLINE,
          Quotas.NAME,
          Quotas.PRODUCT,
          TOPIC,
          ACCOUNT,
          MODE,
          SCHEMA);

  @Override
  public boolean applyFilterToCamelHeaders(String name, Object value, Exchange exchange) {
    return !ALLOWED.contains(name);
  }

  @Override
  public boolean applyFilterToExternalHeaders(String name, Object value, Exchange exchange) {
    return !ALLOWED.contains(name);
  }
}
