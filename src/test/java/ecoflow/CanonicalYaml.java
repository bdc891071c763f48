package ecoflow;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * Canonical form: what Camel calls so, and what visual editors such as Kaoto read and write. Of the
 * several ways that the YAML of routes offers to say the same, it is the one with everything
 * spelled out:
 *
 * <ul>
 *   <li>a step, an endpoint or a language is an object, never a bare text ({@code to: direct:x});
 *   <li>a step that has an expression has it under {@code expression}, and there under the name of
 *       its language ({@code expression: simple: expression: "..."});
 *   <li>the uri of an endpoint is its scheme alone, all else stands under {@code parameters}. The
 *       uri of {@code interceptFrom} is no endpoint but a pattern of whole uris;
 *   <li>numbers and booleans have no quotes where the schema wants them. A placeholder may stand
 *       for either: it is a text until Camel resolves it.
 * </ul>
 *
 * The first two and the last are the schema of Camel's YAML without its shorthands; the third is no
 * matter of a schema.
 */
final class CanonicalYaml {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonSchema SCHEMA = schema();

  private CanonicalYaml() {}

  /** What is not canonical in a file, or not Camel's YAML at all. */
  static List<String> problems(String yaml) {
    JsonNode file = JSON.valueToTree(new Load(LoadSettings.builder().build()).loadFromString(yaml));
    List<String> problems = new ArrayList<>();
    for (ValidationMessage message : SCHEMA.validate(file)) {
      problems.add(message.getMessage());
    }
    uris("", file, problems);
    return problems;
  }

  private static void uris(String step, JsonNode node, List<String> problems) {
    String uri = node.path("uri").asText();
    if (!step.equals("interceptFrom") && (uri.contains(":") || uri.contains("?"))) {
      problems.add(step + ": the uri " + uri + " is more than a scheme");
    }
    if (node.isArray()) {
      node.forEach(element -> uris(step, element, problems));
    } else {
      node.properties().forEach(member -> uris(member.getKey(), member.getValue(), problems));
    }
  }

  private static JsonSchema schema() {
    try (InputStream in =
        CanonicalYaml.class.getClassLoader().getResourceAsStream("schema/camelYamlDsl.json")) {
      JsonNode schema = JSON.readTree(in);
      withoutShorthands(schema);
      return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V4).getSchema(schema);
    } catch (IOException e) {
      throw new IllegalStateException("the schema of Camel's YAML cannot be read", e);
    }
  }

  private static void withoutShorthands(JsonNode node) {
    if (node instanceof ObjectNode object) {
      dropBareTexts(object);
      allowPlaceholder(object);
      requireExpressions(object);
    }
    node.forEach(CanonicalYaml::withoutShorthands);
  }

  /** Of "a text or an object" the object is left. */
  private static void dropBareTexts(ObjectNode node) {
    if (node.get("oneOf") instanceof ArrayNode choices && choices.size() == 2) {
      for (int i = 0; i < 2; i++) {
        boolean isObject = choices.get(1 - i).path("type").asText().equals("object");
        if (isObject && JSON.createObjectNode().put("type", "string").equals(choices.get(i))) {
          choices.remove(i);
          return;
        }
      }
    }
  }

  private static void allowPlaceholder(ObjectNode node) {
    String type = node.path("type").asText();
    if (Set.of("boolean", "integer", "number").contains(type)) {
      node.putArray("type").add(type).add("string");
      node.put("pattern", "^\\{\\{.+\\}\\}$");
    }
  }

  /** Of "a language, or an expression with a language" the expression is left. */
  private static void requireExpressions(ObjectNode node) {
    if (node.get("anyOf") instanceof ArrayNode choices && choices.size() == 1) {
      JsonNode expression = expression(choices.get(0));
      if (expression != null) {
        choices.set(0, expression);
        // The languages beside it have no description of their own.
        Iterator<Map.Entry<String, JsonNode>> members =
            node.get("properties").properties().iterator();
        List<String> shorthands = new ArrayList<>();
        members.forEachRemaining(
            member -> {
              if (member.getValue().isEmpty() && !member.getKey().equals("expression")) {
                shorthands.add(member.getKey());
              }
            });
        ((ObjectNode) node.get("properties")).remove(shorthands);
      }
    }
  }

  private static JsonNode expression(JsonNode choice) {
    return Stream.iterate(0, i -> i < choice.path("oneOf").size(), i -> i + 1)
        .map(i -> choice.path("oneOf").get(i))
        .filter(alternative -> alternative.path("properties").has("expression"))
        .findFirst()
        .orElse(null);
  }
}
