package ecoflow.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Schemas of Kubernetes objects that reject unknown fields. Kubernetes itself ignores a misspelt
 * field.
 */
final class Kinds {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** The variable with the directory of the published definitions of custom resources. */
  private static final String CRDS = "CRDS_DIR";

  private final Map<String, JsonSchema> schemas;

  private Kinds(Map<String, JsonSchema> schemas) {
    this.schemas = schemas;
  }

  /** The schemas with the fields that the project uses, for all kinds. */
  static Kinds used() {
    try (InputStream file = Kinds.class.getResourceAsStream("/deploy/kinds.json")) {
      JsonNode definitions = JSON.readTree(file).get("definitions");
      Map<String, JsonSchema> schemas = new HashMap<>();
      definitions
          .fieldNames()
          .forEachRemaining(
              kind -> {
                ObjectNode schema = JSON.createObjectNode();
                schema.putArray("allOf").addObject().put("$ref", "#/definitions/" + kind);
                schema.set("definitions", definitions);
                schemas.put(kind, schema(schema));
              });
      return new Kinds(schemas);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The complete schemas of custom resources, if their definitions are installed. */
  static Optional<Kinds> published() {
    return Optional.ofNullable(System.getenv(CRDS))
        .map(directory -> new Kinds(crds(Path.of(directory))));
  }

  private static Map<String, JsonSchema> crds(Path directory) {
    Map<String, JsonSchema> schemas = new HashMap<>();
    try (Stream<Path> files = Files.list(directory)) {
      files
          .filter(file -> file.toString().endsWith(".yaml"))
          .map(YamlFile::read)
          .forEach(
              crd -> {
                JsonNode schema =
                    JSON.valueToTree(crd.get("spec", "versions", 0, "schema", "openAPIV3Schema"));
                forbidOthers(schema);
                // All objects have metadata, which the definition does not describe.
                ((ObjectNode) schema.get("properties")).putObject("metadata");
                schemas.put(crd.text("spec", "names", "kind"), schema(schema));
              });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return schemas;
  }

  private static void forbidOthers(JsonNode node) {
    if (!(node instanceof ObjectNode schema)) {
      return;
    }
    if (schema.has("properties")
        && !schema.has("x-kubernetes-preserve-unknown-fields")
        && !schema.has("additionalProperties")) {
      schema.put("additionalProperties", false);
    }
    if (schema.path("x-kubernetes-int-or-string").asBoolean()) {
      schema.remove("type");
    }
    schema.path("properties").forEach(Kinds::forbidOthers);
    forbidOthers(schema.path("items"));
    forbidOthers(schema.path("additionalProperties"));
  }

  private static JsonSchema schema(JsonNode schema) {
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V4).getSchema(schema);
  }

  boolean knows(YamlFile object) {
    return schemas.containsKey(object.text("kind"));
  }

  /** The errors in an object, one per line. */
  List<String> problems(YamlFile object) {
    String kind = object.text("kind");
    JsonSchema schema = schemas.get(kind);
    if (schema == null) {
      return List.of(kind + " is unknown");
    }
    return schema.validate(JSON.valueToTree(object.root())).stream()
        .map(ValidationMessage::getMessage)
        .map(message -> kind + message)
        .toList();
  }
}
