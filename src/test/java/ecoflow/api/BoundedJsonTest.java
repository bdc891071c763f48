package ecoflow.api;

import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The JSON reader for messages, which stores a limited number of values. */
class BoundedJsonTest {

  private final List<Long> skipped = new ArrayList<>();

  private Object read(int maxValues, String json) throws JsonProcessingException {
    return BoundedJson.messages(maxValues, skipped::add).readValue(json, Object.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "{\"a\":1,\"b\":-2.5e3,\"c\":\"text\",\"d\":null,\"e\":true,\"f\":9007199254740993}",
        "{\"a\":{\"b\":[1,[2,{\"c\":[]}],{}]},\"d\":[[],[{}]]}",
        "{\"a\":1,\"b\":2,\"a\":3}",
        "{\"a\":123456789012345678901234567890,\"b\":NaN,\"c\":-Infinity}",
        " {\"params\" : {\"pd.soc\" : 40}}",
      })
  void everythingWithinLimitIsRead(String json) throws JsonProcessingException {
    assertEquals(BoundedJson.mapper().readValue(json, Object.class), read(100, json));
    assertEquals(List.of(), skipped);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "{\"a\":", "{\"a\":[1,2", "{\"a\":1]", "{\"a\" 1}", "[1,2", "{a:1}"})
  void invalidJsonFailsAlsoBeyondLimit(String json) {
    assertThrows(JsonProcessingException.class, () -> read(100, json));
    assertThrows(JsonProcessingException.class, () -> read(1, json));
  }

  @Test
  void valuesBeyondLimitAreCountedAndSkipped() throws JsonProcessingException {
    // The object, the list and three numbers.
    Object value =
        read(5, "{\"a\":[1,2,3,4,5.5,true,null,\"x\",[6,{\"b\":7}],{}],\"c\":8,\"d\":{}}");
    assertEquals(Map.of("a", List.of(1, 2, 3)), value);
    assertEquals(List.of(6L), skipped, "numbers and booleans");
  }

  @Test
  void limitAppliesToEachDocument() throws JsonProcessingException {
    ObjectMapper mapper = BoundedJson.messages(3, skipped::add);
    for (int i = 0; i < 3; i++) {
      assertEquals(Map.of("a", 1, "b", 2), mapper.readValue("{\"a\":1,\"b\":2}", Object.class));
    }
    assertEquals(List.of(), skipped);
  }

  @Test
  void longListIsSkipped() throws JsonProcessingException {
    Map<?, ?> value = (Map<?, ?>) read(20_000, "{\"a\":[" + "1,".repeat(1_900_000) + "1]}");
    assertEquals(20_000 - 2, ((List<?>) value.get("a")).size());
    assertEquals(List.of(1_900_001L - 20_000 + 2), skipped);
  }

  private final ObjectReader reader = BoundedJson.mapper().readerFor(Map.class);

  /** Reads a message from a source of this type. */
  private Map<String, ?> read(String source, String json) throws IOException {
    return switch (source) {
      case "bytes" -> reader.readValue(json.getBytes(UTF_8));
      case "stream" -> reader.readValue(new ByteArrayInputStream(json.getBytes(UTF_8)));
      default -> reader.readValue(json);
    };
  }

  private WeakReference<String> nameOf(String source, String json) throws IOException {
    return new WeakReference<>(read(source, json).keySet().iterator().next());
  }

  /** Jackson caches thousands of names for the next messages. */
  @ParameterizedTest
  @ValueSource(strings = {"bytes", "stream", "text"})
  void longNameIsReadAndNotCached(String source) throws IOException {
    String name = "n".repeat(2_000_000);
    assertEquals(Map.of(name, 1, "b", 2), read(source, "{\"" + name + "\":1,\"b\":2}"));
    WeakReference<String> kept = nameOf(source, "{\"" + "k".repeat(100_000) + "\":1}");
    // The next message clears the cache.
    assertEquals(Map.of("a", 1), read(source, "{\"a\":1}"));
    eventually(
        () -> {
          System.gc();
          assertNull(kept.get());
        });
  }
}
