package ecoflow.fleet;

import ecoflow.text.Lines;

/** A record cannot be processed. */
final class RejectedException extends Exception {

  private static final long serialVersionUID = 1L;

  private final Reason reason;

  RejectedException(Reason reason, String message) {
    super(message, null, false, false);
    this.reason = reason;
  }

  static RejectedException invalidKey(String key) {
    return new RejectedException(
        Reason.KEY,
        key == null
            ? "it has no key"
            : "its key '" + Lines.oneLine(key) + "' is not a serial number");
  }

  static RejectedException newerSchema(String schema) {
    return new RejectedException(
        Reason.SCHEMA,
        "its schema is "
            + Lines.oneLine(schema)
            + ", and this server supports "
            + DeviceRecord.SCHEMA
            + ": update the server");
  }

  Reason reason() {
    return reason;
  }
}
