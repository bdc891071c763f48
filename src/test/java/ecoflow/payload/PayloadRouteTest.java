package ecoflow.payload;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.RouteKit;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The packaged route from a payload to its quotas. */
class PayloadRouteTest {

  private final RouteKit routes = RouteKit.load("payload").with("direct:quotas").start();

  @AfterEach
  void stop() {
    routes.close();
  }

  @Test
  void brokenHeaderDoesNotAffectOtherHeaders() {
    // errcode 7, an incomplete header, pow_in_sum_w 0
    byte[] frame =
        TestFrames.frame(
            TestFrames.header(TestFrames.hex("0807")).build().toByteString(),
            TestFrames.header(TestFrames.hex("0808")).build().toByteString().substring(0, 3),
            TestFrames.header(TestFrames.hex("1d00000000")).build().toByteString());

    send(frame);
    send(Base64.getEncoder().encode(frame));

    List<Object> once = List.of(Map.of("errcode", 7L), Map.of("pow_in_sum_w", 0.0));
    assertEquals(once, quotas().subList(0, 2));
    assertEquals(once, quotas().subList(2, 4));
    assertEquals(2, errors());
  }

  @Test
  void incompleteLastHeaderDoesNotAffectOtherHeaders() {
    // errcode 7, pow_in_sum_w 0, and an incomplete third header
    byte[] frame =
        TestFrames.frame(
            TestFrames.header(TestFrames.hex("0807")).build(),
            TestFrames.header(TestFrames.hex("1d00000000")).build(),
            TestFrames.header(TestFrames.hex("0808")).build());
    byte[] cut = Arrays.copyOf(frame, frame.length - 1);

    send(cut);
    send(Base64.getEncoder().encode(cut));

    List<Object> once = List.of(Map.of("errcode", 7L), Map.of("pow_in_sum_w", 0.0));
    assertEquals(once, quotas().subList(0, 2));
    assertEquals(once, quotas().subList(2, 4));
    assertEquals(2, errors());
  }

  @Test
  void invalidUtf8DoesNotAffectMessage() {
    // from and module_sn of the header, utc_timezone_id of the message
    ByteString header =
        TestFrames.header(TestFrames.hex("b20802ff41" + "0807"))
            .build()
            .toByteString()
            .concat(ByteString.copyFrom(TestFrames.hex("ba0101ff" + "c20101ff")));

    send(TestFrames.frame(header));

    assertEquals(List.of(Map.of("utc_timezone_id", "\ufffdA", "errcode", 7L)), quotas());
    assertEquals(0, errors());
  }

  @Test
  void otherPayloadsAreDropped() {
    send(new byte[] {0x0a, 0x05, 0x08});

    assertEquals(List.of(), quotas());
    assertEquals(1, errors());
  }

  private List<Object> quotas() {
    return routes.bodies("direct:quotas");
  }

  private void send(byte[] payload) {
    routes.send(
        "direct:payload",
        payload,
        Map.of("EcoflowDevice", "P231TEST00000001", "EcoflowSource", "push"));
  }

  private double errors() {
    return routes.counter("ecoflow_mqtt_message_errors", "client_type", "mqtt");
  }
}
