package ecoflow.cloud;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;

/** A fault of an HTTP response. The request itself is always checked first. */
public final class Fault {

  private static final ObjectMapper JSON = new ObjectMapper();

  static final Fault NONE = of(answer -> answer);

  final Duration delay;
  final UnaryOperator<Answer> change;

  /** Bytes of the body between two pauses; 0 sends all at once. */
  final int dripBytes;

  final Duration dripPause;
  final boolean drop;

  /** Sent after the body, repeatedly. */
  final String tail;

  final int tails;

  private Fault(
      Duration delay,
      UnaryOperator<Answer> change,
      int dripBytes,
      Duration dripPause,
      boolean drop,
      String tail,
      int tails) {
    this.delay = delay;
    this.change = change;
    this.dripBytes = dripBytes;
    this.dripPause = dripPause;
    this.drop = drop;
    this.tail = tail;
    this.tails = tails;
  }

  /** An HTTP status with a text that is not JSON, like that of a gateway. */
  public static Fault status(int status) {
    return of(answer -> new Answer(status, answer.headers(), "<html>" + status + "</html>"));
  }

  /** HTTP 200 with the given code and message and without data. */
  public static Fault code(String code, String message) {
    return of(answer -> answer.withBody(CloudHttp.envelope(code, message, null)));
  }

  /** Truncated JSON. */
  public static Fault malformedBody() {
    return body("{\"code\":\"0\",\"message\":\"Success\",\"data\":[{\"sn\":");
  }

  public static Fault emptyBody() {
    return body("");
  }

  /** HTTP 204, which has no body. */
  public static Fault noContent() {
    return of(answer -> new Answer(204, answer.headers(), ""));
  }

  public static Fault body(String text) {
    return of(answer -> answer.withBody(text));
  }

  /** HTTP 200 and code 0 with other data, given as JSON. */
  public static Fault data(String json) {
    return body("{\"code\":\"0\",\"message\":\"Success\",\"data\":" + json + "}");
  }

  public static Fault dataNull() {
    return of(answer -> answer.withBody(withNull(answer.body(), "data")));
  }

  public static Fault messageNull() {
    return of(answer -> answer.withBody(withNull(answer.body(), "message")));
  }

  /** The correct answer, delayed. */
  public static Fault delay(Duration delay) {
    return NONE.after(delay);
  }

  /** The correct answer, once the latch has been released. */
  public static Fault heldUntil(CountDownLatch released) {
    return of(
        answer -> {
          try {
            released.await();
          } catch (InterruptedException e) {
            // The cloud is closing.
            Thread.currentThread().interrupt();
          }
          return answer;
        });
  }

  /** The correct answer, in pieces of the given size. */
  public static Fault drip(int bytes, Duration pause) {
    return new Fault(Duration.ZERO, NONE.change, bytes, pause, false, "", 0);
  }

  /** The connection closes without an answer. */
  public static Fault closeConnection() {
    return new Fault(Duration.ZERO, NONE.change, 0, Duration.ZERO, true, "", 0);
  }

  public Fault withHeader(String name, String value) {
    UnaryOperator<Answer> changeWithHeader =
        answer -> {
          Answer changed = change.apply(answer);
          Map<String, String> headers = new HashMap<>(changed.headers());
          headers.put(name, value);
          return new Answer(changed.status(), headers, changed.body());
        };
    return new Fault(delay, changeWithHeader, dripBytes, dripPause, drop, tail, tails);
  }

  /** The same fault, after a delay. */
  public Fault after(Duration wait) {
    return new Fault(wait, change, dripBytes, dripPause, drop, tail, tails);
  }

  /**
   * The same fault with more data after its body, which is streamed and never completely in memory.
   */
  public Fault followedBy(String more, int times) {
    return new Fault(delay, change, dripBytes, dripPause, drop, more, times);
  }

  private static Fault of(UnaryOperator<Answer> change) {
    return new Fault(Duration.ZERO, change, 0, Duration.ZERO, false, "", 0);
  }

  private static String withNull(String body, String field) {
    try {
      ObjectNode envelope = (ObjectNode) JSON.readTree(body);
      return envelope.putNull(field).toString();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The cloud's own answer is not JSON: " + body, e);
    }
  }
}
