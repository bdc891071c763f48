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
import java.io.InputStream;
import java.io.Reader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Reads JSON from the network within limits, so that no response or message can exhaust the memory.
 * NaN, -Infinity and numbers such as 1e999 are read as non-finite numbers, so that only this value
 * is lost, not the whole message. Names can have any length.
 */
final class BoundedJson {

  /**
   * Maximum number of digits of an integer. A double has at most 309; the time to parse an integer
   * is quadratic in the number of digits.
   */
  private static final int MAX_DIGITS = 1000;

  private static final int MAX_TEXT = 1 << 20;

  /**
   * Maximum number of values in a JSON string. They have no series, and normalised metrics use at
   * most a hundred of them.
   */
  private static final int MAX_TEXT_VALUES = 20_000;

  /** Maximum length of a cached name, in characters or bytes. */
  private static final int MAX_CACHED_NAME = 1000;

  /** All values of the largest systems have about 100 kB. */
  static final int MAX_BYTES = 4 << 20;

  private BoundedJson() {}

  /** The JSON reader for responses of up to {@value #MAX_BYTES} bytes. */
  static ObjectMapper mapper() {
    return mapper(new SimpleModule().addDeserializer(Object.class, new Values()));
  }

  /**
   * The JSON reader for messages.
   *
   * @param maxValues maximum number of values, objects and lists to read from a message; the others
   *     are skipped
   * @param skipped receives the number of skipped numbers and booleans
   */
  static ObjectMapper messages(int maxValues, LongConsumer skipped) {
    return mapper(
        new SimpleModule().addDeserializer(Object.class, new FirstValues(maxValues, skipped)));
  }

  private static ObjectMapper mapper(SimpleModule module) {
    return JsonMapper.builder(new Factory(new Limits())).addModule(module).build();
  }

  /** A message that exceeds these limits is rejected, except for long names, which set a flag. */
  private static final class Limits extends StreamReadConstraints {

    private static final long serialVersionUID = 1L;
    private static final int MAX_DEPTH = 100;

    private volatile boolean hadLongName;

    Limits() {
      super(MAX_DEPTH, MAX_BYTES, MAX_TEXT, MAX_TEXT, MAX_BYTES, DEFAULT_MAX_TOKEN_COUNT);
    }

    @Override
    public void validateNameLength(int length) {
      if (length > MAX_CACHED_NAME) {
        hadLongName = true;
      }
    }
  }

  /**
   * Creates the parsers. Jackson caches several thousand names. The cache is discarded after a
   * message with a long name, because long names would fill the memory.
   */
  private static final class Factory extends JsonFactory {

    private static final long serialVersionUID = 1L;

    private final Limits limits;
    private volatile JsonFactory parsers;

    Factory(Limits limits) {
      this.limits = limits;
      this.parsers = newFactory(limits);
    }

    private static JsonFactory newFactory(Limits limits) {
      return JsonFactory.builder()
          .streamReadConstraints(limits)
          // Interned names would stay in memory until the process ends.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          // Parses numbers three times as fast.
          .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();
    }

    private JsonFactory parsers() {
      if (limits.hadLongName) {
        limits.hadLongName = false;
        parsers = newFactory(limits);
      }
      return parsers;
    }

    @Override
    public JsonParser createParser(byte[] json) throws IOException {
      return parsers().createParser(json);
    }

    @Override
    public JsonParser createParser(byte[] json, int offset, int length) throws IOException {
      return parsers().createParser(json, offset, length);
    }

    @Override
    public JsonParser createParser(InputStream json) throws IOException {
      return parsers().createParser(json);
    }

    @Override
    public JsonParser createParser(Reader json) throws IOException {
      return parsers().createParser(json);
    }

    @Override
    public JsonParser createParser(String json) throws IOException {
      return parsers().createParser(json);
    }
  }

  /** Created on first use, because few devices send JSON in strings. */
  private static final class TextReader {
    static final ObjectReader INSTANCE =
        messages(MAX_TEXT_VALUES, skipped -> {}).readerFor(Object.class);
  }

  /** Parses a string as an object; empty if it is not an object. */
  static Map<?, ?> objectIn(String text) {
    if (!text.startsWith("{")) {
      return Map.of();
    }
    try {
      return TextReader.INSTANCE.readValue(text) instanceof Map<?, ?> members ? members : Map.of();
    } catch (JsonProcessingException e) {
      // A text in braces.
      return Map.of();
    }
  }

  /** Reads a number with too many digits as NaN. */
  private static class Values extends UntypedObjectDeserializer {

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

  /** Reads a limited number of values of a document, and skips the others. */
  private static final class FirstValues extends Values {

    private static final long serialVersionUID = 1L;

    private final int maxValues;
    private final transient LongConsumer skipped;

    FirstValues(int maxValues, LongConsumer skipped) {
      this.maxValues = maxValues;
      this.skipped = skipped;
    }

    /** Called by Jackson once per document; nested values are read here. */
    @Override
    public Object deserialize(JsonParser json, DeserializationContext context) throws IOException {
      Document document = new Document(json, context);
      Object value = document.value();
      if (document.skipped > 0) {
        skipped.accept(document.skipped);
      }
      return value;
    }

    private final class Document {

      private final JsonParser json;
      private final DeserializationContext context;
      private int remaining = maxValues;
      private long skipped;

      Document(JsonParser json, DeserializationContext context) {
        this.json = json;
        this.context = context;
      }

      /** Reads the value at the current token. */
      Object value() throws IOException {
        remaining--;
        return switch (json.currentToken()) {
          case START_OBJECT -> members();
          case START_ARRAY -> elements();
          default -> FirstValues.super.deserialize(json, context);
        };
      }

      private Map<String, Object> members() throws IOException {
        Map<String, Object> members = new LinkedHashMap<>();
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
          json.nextToken();
          if (remaining > 0) {
            members.put(name, value());
          } else {
            skip();
          }
        }
        return members;
      }

      private List<Object> elements() throws IOException {
        List<Object> elements = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
          if (remaining > 0) {
            elements.add(value());
          } else {
            skip();
          }
        }
        return elements;
      }

      private void skip() throws IOException {
        int depth = 0;
        while (true) {
          JsonToken token = json.currentToken();
          if (token.isStructStart()) {
            depth++;
          } else if (token.isStructEnd()) {
            depth--;
          } else if (token.isNumeric() || token.isBoolean()) {
            skipped++;
          }
          if (depth == 0) {
            return;
          }
          json.nextToken();
        }
      }
    }
  }
}
