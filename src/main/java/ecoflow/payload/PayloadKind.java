package ecoflow.payload;

import ecoflow.decode.Frames;

/** What an MQTT payload is, told from its content. */
enum PayloadKind {
  /** JSON text of one object. */
  JSON,
  /** A binary frame. */
  FRAME,
  /** A binary frame whose last header is cut. */
  CUT_FRAME,
  /** A binary frame as base64 text. */
  BASE64,
  /** None of these; empty payloads too. */
  UNKNOWN;

  /**
   * The structure of a frame is asked for first: a short frame can be valid UTF-8, can be valid
   * base64, and starts with 0x0a, which is a new line before a JSON text.
   */
  static PayloadKind of(byte[] payload) {
    if (Frames.isFrame(payload)) {
      return Frames.whole(payload).length == payload.length ? FRAME : CUT_FRAME;
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
