package ecoflow.routes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.camel.CamelContext;

/**
 * Camel's JSON schema of its YAML DSL. The alternatives of a definition are merged, because the
 * keys of all alternatives are allowed.
 */
final class DslSchema {

  private static final String FILE = "schema/camelYamlDsl.json";

  /**
   * The allowed content of one node.
   *
   * @param types names of JSON schema types; empty if all types are allowed
   * @param keys the keys of a map, with their schemas
   */
  record AllowedContent(
      Set<String> types,
      Map<String, JsonNode> keys,
      Set<String> required,
      Set<String> values,
      JsonNode items,
      boolean hasOneKey) {}

  private final JsonNode root;
  private final Map<JsonNode, AllowedContent> cache = new IdentityHashMap<>();
  private final Map<String, JsonNode> definitions = new HashMap<>();

  DslSchema(CamelContext camel) {
    try (InputStream text = camel.getClassResolver().loadResourceAsStream(FILE)) {
      if (text == null) {
        throw new IllegalStateException("camel-yaml-dsl does not contain " + FILE);
      }
      root = new ObjectMapper().readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  JsonNode root() {
    return root;
  }

  AllowedContent content(JsonNode schema) {
    AllowedContent known = cache.get(schema);
    if (known != null) {
      return known;
    }
    Collected all = new Collected();
    all.add(schema, true);
    if (!all.keys.isEmpty()) {
      all.types.add("object");
    }
    AllowedContent content =
        new AllowedContent(all.types, all.keys, all.required, all.values, all.items, all.hasOneKey);
    cache.put(schema, content);
    return content;
  }

  private JsonNode resolve(String reference) {
    return definitions.computeIfAbsent(reference, name -> root.at(name.substring(1)));
  }

  private final class Collected {
    private final Set<String> types = new TreeSet<>();
    private final Map<String, JsonNode> keys = new TreeMap<>();
    private final Set<String> required = new TreeSet<>();
    private final Set<String> values = new TreeSet<>();
    private JsonNode items;
    private boolean hasOneKey;

    private void add(JsonNode schema, boolean always) {
      if (schema.has("$ref")) {
        add(resolve(schema.get("$ref").asText()), always);
      }
      if (schema.path("type").isTextual()) {
        types.add(schema.get("type").asText());
      }
      schema
          .path("properties")
          .properties()
          .forEach(
              key ->
                  keys.merge(
                      key.getKey(), key.getValue(), (old, now) -> old.isEmpty() ? now : old));
      schema.path("enum").forEach(value -> values.add(value.asText()));
      if (schema.has("items")) {
        items = schema.get("items");
      }
      if (always) {
        schema.path("required").forEach(key -> required.add(key.asText()));
      }
      hasOneKey |= schema.path("maxProperties").asInt() == 1;
      schema.path("oneOf").forEach(branch -> add(branch, false));
      schema.path("anyOf").forEach(branch -> add(branch, false));
    }
  }
}
