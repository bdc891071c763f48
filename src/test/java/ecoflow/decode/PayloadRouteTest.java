package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.metrics.SelfMetrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The packaged route from a payload to its quotas. */
class PayloadRouteTest {

  private static final Path ROUTE = Path.of("src/main/resources/routes/payload.camel.yaml");

  private final CamelContext camel = new DefaultCamelContext();
  private final List<Object> quotas = new ArrayList<>();
  private final SelfMetrics metrics;

  PayloadRouteTest() throws ConfigException {
    metrics =
        new SelfMetrics(
            Settings.from(
                Map.of(
                    "ECOFLOW_ACCOUNT_USER", "user",
                    "ECOFLOW_ACCOUNT_PASSWORD", "password",
                    "ECOFLOW_DEVICE_SN", "P231TEST00000001")),
            "test");
  }

  @BeforeEach
  void start() throws Exception {
    Payloads payloads = new Payloads(MessageDecoder.load(), metrics, System::nanoTime);
    bind("identifyPayload", payloads::identify);
    bind("takeJsonQuotas", payloads::takeJsonQuotas);
    bind("decodeHeader", payloads::decodeHeader);
    bind("decodeBase64", payloads::decodeBase64);
    bind("dropPayload", payloads::drop);
    bind("noteFullPicture", exchange -> {});
    camel.getRegistry().bind("boundedJson", new ObjectMapper());
    camel.getRegistry().bind("metricsRegistry", metrics.registry());
    Properties properties = new Properties();
    properties.put("ecoflow.mode", "mqtt");
    properties.put("ecoflow.metrics.prefix", "ecoflow");
    camel.getPropertiesComponent().setInitialProperties(properties);
    camel.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:quotas").process(exchange -> quotas.add(exchange.getMessage().getBody()));
          }
        });
    PluginHelper.getRoutesLoader(camel)
        .loadRoutes(ResourceHelper.resolveResource(camel, "file:" + ROUTE));
    camel.start();
  }

  @AfterEach
  void stop() {
    camel.stop();
  }

  @Test
  void aBrokenHeaderDoesNotLoseItsNeighbours() {
    // errcode 7, a header that is cut, pow_in_sum_w 0
    byte[] frame =
        TestFrames.frame(
            TestFrames.header(TestFrames.hex("0807")).build().toByteString(),
            TestFrames.header(TestFrames.hex("0808")).build().toByteString().substring(0, 3),
            TestFrames.header(TestFrames.hex("1d00000000")).build().toByteString());

    send(frame);
    send(Base64.getEncoder().encode(frame));

    List<Object> once = List.of(Map.of("errcode", 7L), Map.of(), Map.of("pow_in_sum_w", 0.0));
    assertEquals(once, quotas.subList(0, 3));
    assertEquals(once, quotas.subList(3, 6));
    assertEquals(2, errors());
  }

  @Test
  void aLastHeaderThatIsCutDoesNotLoseThoseBeforeIt() {
    // errcode 7, pow_in_sum_w 0, and a third one that is cut
    byte[] frame =
        TestFrames.frame(
            TestFrames.header(TestFrames.hex("0807")).build(),
            TestFrames.header(TestFrames.hex("1d00000000")).build(),
            TestFrames.header(TestFrames.hex("0808")).build());
    byte[] cut = Arrays.copyOf(frame, frame.length - 1);

    send(cut);
    send(Base64.getEncoder().encode(cut));

    List<Object> once = List.of(Map.of("errcode", 7L), Map.of("pow_in_sum_w", 0.0));
    assertEquals(once, quotas.subList(0, 2));
    assertEquals(once, quotas.subList(2, 4));
    assertEquals(2, errors());
  }

  @Test
  void aTextThatIsNotUtf8DoesNotLoseTheMessage() {
    // from and module_sn of the header, utc_timezone_id of the message
    ByteString header =
        TestFrames.header(TestFrames.hex("b20802ff41" + "0807"))
            .build()
            .toByteString()
            .concat(ByteString.copyFrom(TestFrames.hex("ba0101ff" + "c20101ff")));

    send(TestFrames.frame(header));

    assertEquals(List.of(Map.of("utc_timezone_id", "\ufffdA", "errcode", 7L)), quotas);
    assertEquals(0, errors());
  }

  @Test
  void whatIsNeitherJsonNorFrameIsDropped() {
    send(new byte[] {0x0a, 0x05, 0x08});

    assertEquals(List.of(), quotas);
    assertEquals(1, errors());
  }

  private void bind(String name, Processor step) {
    camel.getRegistry().bind(name, step);
  }

  private void send(byte[] payload) {
    camel
        .createProducerTemplate()
        .sendBodyAndHeader(
            "direct:payload", payload, "CamelMqttTopic", "/app/device/property/P231TEST00000001");
  }

  private double errors() {
    return metrics.registry().counter("ecoflow_mqtt_message_errors", "client_type", "mqtt").count();
  }
}
