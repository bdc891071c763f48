package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Decodes frames of real devices and compares all values with frames.json. */
class RecordedFramesTest {

  private static final MessageDecoder DECODER = MessageDecoder.load();

  static Stream<JsonNode> expectations() throws IOException {
    JsonNode root = new ObjectMapper().readTree(TestFrames.resource("frames.json"));
    return StreamSupport.stream(root.spliterator(), false);
  }

  @Test
  void coversEveryRecordedFrame() throws IOException {
    assertEquals(
        TestFrames.RECORDED,
        expectations().map(expected -> expected.get("file").asText()).sorted().toList());
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("expectations")
  void readsEveryValue(JsonNode expected) {
    List<Header> headers = TestFrames.headers(TestFrames.recorded(expected.get("file").asText()));
    String serial = expected.get("serial").asText();
    assertEquals(expected.get("headers").size(), headers.size());

    for (int i = 0; i < headers.size(); i++) {
      JsonNode header = expected.get("headers").get(i);
      Decoded decoded = DECODER.decode(headers.get(i), serial);

      assertEquals(header.get("cmd").asText(), decoded.cmdFunc() + "/" + decoded.cmdId());
      assertEquals(header.get("outcome").asText(), decoded.outcome().name());
      assertEquals(plain(header.get("values")), decoded.values());
    }
  }

  private static Object plain(JsonNode node) {
    if (node.isObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      node.properties().forEach(entry -> map.put(entry.getKey(), plain(entry.getValue())));
      return map;
    }
    if (node.isArray()) {
      return StreamSupport.stream(node.spliterator(), false)
          .map(RecordedFramesTest::plain)
          .toList();
    }
    if (node.isTextual()) {
      return node.asText();
    }
    if (node.isBoolean()) {
      return node.asBoolean();
    }
    return node.isIntegralNumber() ? (Object) node.asLong() : node.asDouble();
  }
}
