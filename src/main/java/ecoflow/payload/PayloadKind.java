package ecoflow.payload;

import ecoflow.decode.Frames;

/** The kind of an MQTT payload, derived from its content. */
enum PayloadKind {
  /** A JSON object. */
  JSON,
  /** A binary frame. */
  FRAME,
  /** A binary frame with an incomplete last header. */
  CUT_FRAME,
  /** A binary frame as base64 text. */
  BASE64,
  /** Any other payload, including an empty one. */
  UNKNOWN;

  /**
   * Checks the structure of a frame first: a short frame can also be valid UTF-8 or valid base64,
   * and starts with 0x0a, which is a newline before a JSON text.
   */
  static PayloadKind of(byte[] payload) {
    if (Frames.isFrame(payload)) {
      return Frames.withoutCutHeader(payload).length == payload.length ? FRAME : CUT_FRAME;
    }
    int start = Frames.textStart(payload);
    if (start < payload.length && payload[start] == '{') {
      return JSON;
    }
    return isBase64Frame(payload) ? BASE64 : UNKNOWN;
  }

  private static boolean isBase64Frame(byte[] payload) {
    try {
      return Frames.isFrame(Frames.fromBase64(payload));
    } catch (IllegalArgumentException notBase64) {
      return false;
    }
  }
}
