package ecoflow.quota;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The inputs of the values that routes of integrators compute for a device, by raw quota key. */
final class ComputedValues {

  /** Empty for most devices. */
  private Map<String, Set<String>> inputs = Map.of();

  void addInput(String computed, String input) {
    if (inputs.isEmpty()) {
      inputs = new HashMap<>();
    }
    inputs.computeIfAbsent(computed, unused -> new TreeSet<>()).add(input);
  }

  boolean contains(String key) {
    return inputs.containsKey(key);
  }

  /** The keys of the values that are computed from the value of a key. */
  List<String> computedFrom(String input) {
    if (inputs.isEmpty()) {
      return List.of();
    }
    List<String> computed = new ArrayList<>();
    inputs.forEach(
        (key, itsInputs) -> {
          if (itsInputs.contains(input)) {
            computed.add(key);
          }
        });
    return computed;
  }
}
