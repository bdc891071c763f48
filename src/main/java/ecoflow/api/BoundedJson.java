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
 * Reads JSON from the network within limits, so that no answer or message can exhaust the memory.
 * Values that a gauge cannot show, such as NaN, -Infinity or 1e999, become non-finite numbers: only
 * that value is lost, not the whole message. The same applies to names of any length.
 */
final class BoundedJson {

  /**
   * Digits. A double has at most 309; the time to parse digits grows with the square of their
   * number.
   */
  private static final int MAX_DIGITS = 1000;

  private static final int MAX_TEXT = 1 << 20;

  /** Values inside a text do not get series; normalised metrics use at most a hundred of them. */
  private static final int MAX_VALUES_OF_TEXT = 20_000;

  /** Maximum length, in characters or bytes, of a name that is cached for the next messages. */
  private static final int MAX_KEPT_NAME = 1000;

  /** All values of the largest systems take about 100 kB. */
  static final int MAX_BYTES = 4 << 20;

  private BoundedJson() {}

  /** The JSON reader for answers of at most {@value #MAX_BYTES} bytes. */
  static ObjectMapper mapper() {
    return mapper(new SimpleModule().addDeserializer(Object.class, new Values()));
  }

  /**
   * The JSON reader for messages.
   *
   * @param maxValues maximum number of values, objects and lists to read from a message; the rest
   *     is skipped
   * @param skipped receives the number of numbers and booleans in the rest
   */
  static ObjectMapper messages(int maxValues, LongConsumer skipped) {
    return mapper(
        new SimpleModule().addDeserializer(Object.class, new FirstValues(maxValues, skipped)));
  }

  private static ObjectMapper mapper(SimpleModule module) {
    return JsonMapper.builder(new Factory(new Limits())).addModule(module).build();
  }

  /**
   * Limits beyond which the whole message is rejected, except for long names, which are only noted.
   */
  private static final class Limits extends StreamReadConstraints {

    private static final long serialVersionUID = 1L;
    private static final int MAX_DEPTH = 100;

    private volatile boolean hadLongName;

    Limits() {
      super(MAX_DEPTH, MAX_BYTES, MAX_TEXT, MAX_TEXT, MAX_BYTES, DEFAULT_MAX_TOKEN_COUNT);
    }

    @Override
    public void validateNameLength(int length) {
      if (length > MAX_KEPT_NAME) {
        hadLongName = true;
      }
    }
  }

  /**
   * Creates the parsers. Jackson caches several thousand names that it has read for the next
   * messages: after a message with a long name the cache is discarded, because long names would
   * fill the memory.
   */
  private static final class Factory extends JsonFactory {

    private static final long serialVersionUID = 1L;

    private final Limits limits;
    private volatile JsonFactory parsers;

    Factory(Limits limits) {
      this.limits = limits;
      this.parsers = newParsers(limits);
    }

    private static JsonFactory newParsers(Limits limits) {
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
        parsers = newParsers(limits);
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

  /** Created on first use, because few devices send texts that look like objects. */
  private static final class Texts {
    static final ObjectReader READER =
        messages(MAX_VALUES_OF_TEXT, skipped -> {}).readerFor(Object.class);
  }

  /** Parses a text as an object; empty if it is not an object. */
  static Map<?, ?> objectIn(String text) {
    if (!text.startsWith("{")) {
      return Map.of();
    }
    try {
      return Texts.READER.readValue(text) instanceof Map<?, ?> members ? members : Map.of();
    } catch (JsonProcessingException e) {
      // Not JSON, only in braces.
      return Map.of();
    }
  }

  /** Reads maps, lists, texts, booleans, nulls and numbers. */
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

  /** Reads up to a number of values of a document, and skips the rest without keeping it. */
  private static final class FirstValues extends Values {

    private static final long serialVersionUID = 1L;

    private final int most;
    private final transient LongConsumer skipped;

    FirstValues(int most, LongConsumer skipped) {
      this.most = most;
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
      private int left = most;
      private long skipped;

      Document(JsonParser json, DeserializationContext context) {
        this.json = json;
        this.context = context;
      }

      /** Reads the value at the current token. */
      Object value() throws IOException {
        left--;
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
          if (left > 0) {
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
          if (left > 0) {
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
