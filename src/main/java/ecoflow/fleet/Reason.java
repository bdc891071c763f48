package ecoflow.fleet;

import java.util.Locale;

/** The reasons for rejected records, values of the label {@code reason}. */
enum Reason {
  /** The key is missing, or is not a serial number. */
  KEY,
  /** The value is missing, or cannot be read. */
  VALUE,
  /** A header is missing or has an invalid value. */
  HEADERS,
  /** The format of the record is newer than this server. */
  SCHEMA,
  /** The value is larger than the limit. */
  TOO_LARGE,
  /** There are too many devices of other sources. */
  DEVICE_LIMIT;

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
