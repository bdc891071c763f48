package ecoflow.routefiles;

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
 * The canonical form of Camel's YAML, which visual editors such as Kaoto read and write. Of several
 * equivalent notations, it is the most explicit one:
 *
 * <ul>
 *   <li>a step, an endpoint or a language is an object, not a string ({@code to: direct:x});
 *   <li>a step with an expression contains it under {@code expression}, under the name of its
 *       language ({@code expression: simple: expression: "..."});
 *   <li>the uri of an endpoint is only its scheme, and the rest is under {@code parameters}. The
 *       uri of {@code interceptFrom} is not an endpoint but a pattern of complete uris;
 *   <li>numbers and booleans are not quoted. In their place, a placeholder is allowed, which is a
 *       string until Camel resolves it.
 * </ul>
 *
 * The first two and the last follow from the schema of Camel's YAML without its shorthands; a
 * schema cannot express the third.
 */
final class CanonicalYaml {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonSchema SCHEMA = schema();

  private CanonicalYaml() {}

  /** The deviations of a file from the canonical form, including errors in Camel's YAML. */
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

  /** Reduces "a string or an object" to the object. */
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

  /** Reduces "a language, or an expression with a language" to the expression. */
  private static void requireExpressions(ObjectNode node) {
    if (node.get("anyOf") instanceof ArrayNode choices && choices.size() == 1) {
      JsonNode expression = expression(choices.get(0));
      if (expression != null) {
        choices.set(0, expression);
        // The schema does not describe the languages next to the expression.
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
