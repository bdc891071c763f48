package ecoflow.unknown;

import ecoflow.decode.proto.Header;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Selects some unknown messages of each kind. */
final class UnknownSamples {

  /** Maximum number of messages with the same device, command and class of lengths. */
  private static final int MAX_PER_KIND = 20;

  private final Map<String, Set<Integer>> selected = new HashMap<>();

  boolean isNew(String serial, Header header) {
    // Lengths with the same number of binary digits are in the same class.
    int lengthClass = Integer.SIZE - Integer.numberOfLeadingZeros(header.getPdata().size());
    String kind = serial + " " + header.getCmdFunc() + "/" + header.getCmdId() + " " + lengthClass;
    Set<Integer> hashes = selected.computeIfAbsent(kind, unused -> new HashSet<>());
    return hashes.size() < MAX_PER_KIND && hashes.add(header.getPdata().hashCode());
  }
}
