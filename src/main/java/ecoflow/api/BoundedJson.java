package ecoflow.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.deser.std.UntypedObjectDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.IOException;
import java.util.Map;

/**
 * Reads JSON from outside within bounds, so that no answer or message can fill the memory. What is
 * no number that a gauge can show, such as NaN, -Infinity or 1e999, is read as a number that is not
 * finite: it costs its own value, not the message around it.
 */
final class BoundedJson {

  /**
   * Digits. A double has 309 at most; turning them into a number takes the square of their time.
   */
  private static final int MAX_DIGITS = 1000;

  private static final int MAX_TEXT = 1 << 20;

  /** Full pictures of the largest systems have about 100 kB. */
  static final int MAX_BYTES = 4 << 20;

  private BoundedJson() {}

  /** The reader of everything that comes as JSON, at most {@value #MAX_BYTES} bytes. */
  static ObjectMapper mapper() {
    StreamReadConstraints constraints =
        StreamReadConstraints.builder()
            .maxDocumentLength(MAX_BYTES)
            .maxNestingDepth(100)
            .maxNameLength(1000)
            // Beyond these the whole message is refused.
            .maxStringLength(MAX_TEXT)
            .maxNumberLength(MAX_TEXT)
            .build();
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(constraints)
            // The same numbers in a third of the time.
            .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
            .build();
    return JsonMapper.builder(factory)
        .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
        .addModule(new SimpleModule().addDeserializer(Object.class, new Values()))
        .build();
  }

  /** Made for the first text that looks like an object; few devices send any. */
  private static final class Texts {
    static final ObjectReader READER = mapper().readerFor(Map.class);
  }

  /** The object that a text holds; empty if it holds none. */
  static Map<?, ?> objectIn(String text) {
    if (!text.startsWith("{")) {
      return Map.of();
    }
    try {
      return Texts.READER.readValue(text);
    } catch (JsonProcessingException e) {
      // Some other text in braces.
      return Map.of();
    }
  }

  /** Maps, lists, texts, booleans, nulls and numbers. */
  private static final class Values extends UntypedObjectDeserializer {

    private static final long serialVersionUID = 1L;

    Values() {
      super((JavaType) null, (JavaType) null);
    }

    @Override
    public Object deserialize(JsonParser json, DeserializationContext context) throws IOException {
      if (json.currentToken() == JsonToken.VALUE_NUMBER_INT && json.getTextLength() > MAX_DIGITS) {
        return Double.NaN;
      }
      return super.deserialize(json, context);
    }
  }
}
