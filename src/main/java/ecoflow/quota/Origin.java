package ecoflow.quota;

/** The source of the values in a message. */
enum Origin {
  PUSH,
  /** A response to a request of the exporter. */
  POLL,
  OTHER
}
