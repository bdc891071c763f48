package ecoflow.unknown;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Selects some unknown messages of each kind, and writes them as masked lines of JSON. */
final class UnknownSamples {

  /** Maximum number of messages with the same device, command and class of lengths. */
  private static final int MAX_PER_KIND = 20;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<String, Set<Integer>> selected = new HashMap<>();

  boolean isNew(Recording.Entry entry, Header header) {
    // Lengths with the same number of binary digits are in the same class.
    int lengthClass = Integer.SIZE - Integer.numberOfLeadingZeros(entry.length());
    Set<Integer> hashes =
        selected.computeIfAbsent(
            entry.device() + " " + entry.command() + " " + lengthClass, unused -> new HashSet<>());
    return hashes.size() < MAX_PER_KIND && hashes.add(header.getPdata().hashCode());
  }

  static String line(Recording.Entry entry, Header header, Mask mask) {
    byte[] masked = new FieldMask(mask).header(header.toByteArray());
    byte[] frame = Frame.newBuilder().addHeaders(ByteString.copyFrom(masked)).build().toByteArray();
    Map<String, String> line = new LinkedHashMap<>();
    line.put("time", entry.time());
    line.put("source", entry.source());
    line.put("device", entry.device());
    line.put("product", entry.product());
    line.put("command", entry.command());
    line.put("frame", HexFormat.of().formatHex(frame));
    try {
      return JSON.writeValueAsString(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of strings can be written as JSON", e);
    }
  }
}
