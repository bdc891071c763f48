package ecoflow.fleet;

import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** The records of devices that a server reads from Kafka, bean {@code changeRecords}. */
final class ChangeRecords {

  private final ServedPartitions partitions;
  private final DeviceTopicPositions positions;

  ChangeRecords(ServedPartitions partitions, DeviceTopicPositions positions) {
    this.partitions = partitions;
    this.positions = positions;
  }

  /** Route step: applies a changed record of a device. */
  public void apply(Exchange exchange) {
    Message message = exchange.getMessage();
    int partition = message.getHeader("kafka.PARTITION", Integer.class);
    long offset = message.getHeader("kafka.OFFSET", Long.class);
    positions.processed(partition, offset);
    partitions.changed(
        partition,
        offset,
        message.getHeader("kafka.KEY", String.class),
        new ServedPartitions.StoredRecord(
            message.getBody(byte[].class), message.getHeader("kafka.TIMESTAMP", Long.class)));
  }
}
