package ecoflow.history;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The table {@code codes.csv}: the codes of each model family, and the energy at each index of an
 * answer. Sources: EcoFlow's developer documentation and public clients; the index names of
 * PowerOcean are those of a single public client.
 *
 * @param codesOf the codes by model family
 * @param whats the label {@code what} by code and index
 */
record HistoryCodes(Map<String, Set<String>> codesOf, Map<String, Map<String, String>> whats) {

  /** Read when the first device needs it. */
  private static final class Packaged {
    static final HistoryCodes TABLE = read();
  }

  static HistoryCodes packaged() {
    return Packaged.TABLE;
  }

  private static HistoryCodes read() {
    Map<String, Set<String>> codesOf = new LinkedHashMap<>();
    Map<String, Map<String, String>> whats = new LinkedHashMap<>();
    for (String line : lines()) {
      String[] cells = line.split(",", -1);
      whats
          .computeIfAbsent(cells[1], unused -> new LinkedHashMap<>())
          .put(normalised(cells[2]), cells[3]);
      codesOf.computeIfAbsent(cells[0], unused -> new LinkedHashSet<>()).add(cells[1]);
    }
    return new HistoryCodes(codesOf, whats);
  }

  private static List<String> lines() {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(HistoryCodes.class.getResourceAsStream("codes.csv"), UTF_8))) {
      return in.lines().skip(1).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Clients report the same name with different upper case, spaces and hyphens. */
  private static String normalised(String index) {
    return index.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
  }

  /** The codes of a model family; empty if EcoFlow has no history of it. */
  List<String> of(String family) {
    return List.copyOf(codesOf.getOrDefault(family, Set.of()));
  }

  Optional<String> what(String code, String index) {
    return Optional.ofNullable(whats.getOrDefault(code, Map.of()).get(normalised(index)));
  }
}
