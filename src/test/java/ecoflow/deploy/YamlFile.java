package ecoflow.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** A YAML file for deployments; {@code <<} merges another map, as in compose files. */
record YamlFile(Object root) {

  static YamlFile read(Path file) {
    try {
      List<YamlFile> documents = documents(Files.readString(file));
      if (documents.size() != 1) {
        throw new IllegalArgumentException(file + " has " + documents.size() + " documents");
      }
      return documents.get(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<YamlFile> documents(String text) {
    List<YamlFile> documents = new ArrayList<>();
    new Load(LoadSettings.builder().setAllowDuplicateKeys(false).build())
        .loadAllFromString(text)
        .forEach(document -> documents.add(new YamlFile(merged(document))));
    return documents;
  }

  private static Object merged(Object value) {
    if (value instanceof List<?> list) {
      return list.stream().map(YamlFile::merged).toList();
    }
    if (!(value instanceof Map<?, ?> map)) {
      return value;
    }
    Map<Object, Object> all = new LinkedHashMap<>();
    if (map.get("<<") instanceof Map<?, ?> other) {
      all.putAll((Map<?, ?>) merged(other));
    }
    map.forEach(
        (key, part) -> {
          if (!"<<".equals(key)) {
            all.put(key, merged(part));
          }
        });
    return all;
  }

  /** The value at these keys and list positions, if it exists. */
  Optional<Object> find(Object... path) {
    Object value = root;
    for (Object step : path) {
      if (step instanceof Integer place && value instanceof List<?> list && place < list.size()) {
        value = list.get(place);
      } else if (value instanceof Map<?, ?> map) {
        value = map.get(step);
      } else {
        return Optional.empty();
      }
    }
    return Optional.ofNullable(value);
  }

  Object get(Object... path) {
    return find(path).orElseThrow(() -> new AssertionError(List.of(path) + " is missing"));
  }

  String text(Object... path) {
    return get(path).toString();
  }

  Map<?, ?> map(Object... path) {
    return (Map<?, ?>) get(path);
  }

  List<?> list(Object... path) {
    return (List<?>) get(path);
  }
}
