package ecoflow.cloud;

/** The format of a device's MQTT messages. */
public enum WireFormat {
  JSON,
  PROTOBUF_PLAIN,
  /** Every byte of a pushed payload is XORed with the sequence number; replies are plain. */
  PROTOBUF_XOR,
  /** The whole frame is base64 text. */
  PROTOBUF_BASE64
}
