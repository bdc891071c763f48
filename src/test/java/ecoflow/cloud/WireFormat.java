package ecoflow.cloud;

/** How a device writes its MQTT messages. */
public enum WireFormat {
  JSON,
  PROTOBUF_PLAIN,
  /** Every byte of a pushed payload is XORed with the sequence number; answers stay plain. */
  PROTOBUF_XOR,
  /** The whole frame is base64 text. */
  PROTOBUF_BASE64
}
