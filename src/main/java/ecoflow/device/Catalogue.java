package ecoflow.device;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import ecoflow.text.Lines;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Device models by the prefix of their serial numbers. */
final class Catalogue {

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private final Map<String, Entry> byPrefix = new HashMap<>();

  /**
   * One model.
   *
   * @param generalKey the vendor's key of the model; null if unknown
   * @param sn prefix of the serial numbers of the model
   */
  record Entry(String generalKey, String name, String sn) {}

  private Catalogue() {}

  /**
   * Reads a catalogue file: a JSON array of objects with "sn", "name" and, where known,
   * "generalKey". If the file cannot be used, the packaged catalogue replaces it.
   *
   * @param explicit whether the user configured the file; a missing file is reported only in this
   *     case
   * @param warn receives at most one line
   */
  static Catalogue load(Path file, boolean explicit, Consumer<String> warn) {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return explicit ? packaged(file, "does not exist", warn) : packaged();
    } catch (IOException e) {
      return packaged(file, "cannot be read: " + Lines.unreadable(file.toString()), warn);
    }

    JsonNode json;
    try {
      json = JSON.readTree(content);
    } catch (JsonProcessingException e) {
      return packaged(file, "is not JSON (" + e.getOriginalMessage() + ")", warn);
    } catch (IOException e) {
      return packaged(file, "cannot be read (" + e + ")", warn);
    }
    if (!json.isArray()) {
      return packaged(file, "is not a JSON array", warn);
    }

    Catalogue catalogue = new Catalogue();
    int invalid = catalogue.addAll(json);
    if (invalid > 0 && invalid == json.size()) {
      return packaged(file, "has no entry with the strings \"sn\" and \"name\"", warn);
    }
    if (invalid > 0) {
      warn.accept(
          line(
              file,
              "has entries without the strings \"sn\" and \"name\", or whose \"generalKey\" is"
                  + " not a string; ignored: "
                  + invalid
                  + " of "
                  + json.size()));
    }
    return catalogue;
  }

  /** The entry with the longest prefix of this serial number. */
  Optional<Entry> find(String serial) {
    for (int length = serial.length(); length > 0; length--) {
      Entry entry = byPrefix.get(serial.substring(0, length));
      if (entry != null) {
        return Optional.of(entry);
      }
    }
    return Optional.empty();
  }

  /** Returns the number of entries that are not valid. */
  private int addAll(JsonNode array) {
    int invalid = 0;
    for (JsonNode item : array) {
      String sn = item.path("sn").asText();
      String name = item.path("name").asText();
      JsonNode generalKey = item.path("generalKey");
      boolean keyUnknown = generalKey.isMissingNode() || generalKey.isNull();
      if (!item.path("sn").isTextual()
          || !item.path("name").isTextual()
          || sn.isBlank()
          || name.isBlank()
          || !(keyUnknown || generalKey.isTextual())) {
        invalid++;
        continue;
      }
      byPrefix.put(sn, new Entry(keyUnknown ? null : generalKey.asText(), name, sn));
    }
    return invalid;
  }

  private static Catalogue packaged(Path file, String problem, Consumer<String> warn) {
    warn.accept(line(file, problem + "; the packaged catalogue is used instead"));
    return packaged();
  }

  private static Catalogue packaged() {
    try (InputStream in = Catalogue.class.getResourceAsStream("/devices.json")) {
      Catalogue catalogue = new Catalogue();
      catalogue.addAll(JSON.readTree(in));
      return catalogue;
    } catch (IOException e) {
      throw new UncheckedIOException("packaged devices.json", e);
    }
  }

  private static String line(Path file, String problem) {
    return ("ECOFLOW_DEVICES_JSON: the file " + file + " " + problem).replaceAll("\\s+", " ");
  }
}
