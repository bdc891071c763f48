package ecoflow.normal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.decode.TestFrames;
import ecoflow.values.QuotaMaps;
import java.io.IOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Compares evidence.csv with the recordings that the tests use. */
class EvidenceTest {

  private static final Table TABLE = PackagedTable.load();

  @Test
  void everyFrameIsEvidenceOfItsDevice() throws IOException {
    Map<String, String> frames = new TreeMap<>();
    TestFrames.SERIALS.forEach((file, serial) -> frames.put(file + " " + serial, file));
    JsonNode index =
        new ObjectMapper()
            .readTree(TestFrames.resource(Evidence.STREAM_5000_FRAMES + "/index.json"));
    for (JsonNode frame : index) {
      frames.put(
          Evidence.STREAM_5000_FRAMES + " " + frame.path("model").asText(),
          Evidence.STREAM_5000_FRAMES);
    }
    assertEquals(frames.keySet(), recordings(Set.of(Evidence.Kind.FRAME)));
  }

  @Test
  void everyMapIsEvidenceOfItsDevice() {
    Set<String> maps = new TreeSet<>();
    QuotaMaps.SERIALS.forEach((file, serial) -> maps.add(file + " " + serial));
    assertEquals(maps, recordings(Set.of(Evidence.Kind.MAP, Evidence.Kind.VALUES)));
  }

  /** The recordings with the serial numbers for which the tests use them. */
  private static Set<String> recordings(Set<Evidence.Kind> kinds) {
    Set<String> recordings = new TreeSet<>();
    for (Evidence evidence : Evidence.ALL) {
      if (kinds.contains(evidence.kind())) {
        evidence.serials().forEach(serial -> recordings.add(evidence.file() + " " + serial));
      }
    }
    return recordings;
  }

  @Test
  void everyRecordingIsOfItsModelAndHasValues() {
    for (Evidence evidence : Evidence.ALL) {
      if (evidence.kind().hasFile()) {
        Set<String> serials = evidence.serials();
        assertFalse(serials.isEmpty(), evidence::toString);
        for (String serial : serials) {
          assertTrue(
              evidence.isOf(serial) || evidence.isOfFamily(family(serial)), evidence::toString);
        }
        assertTrue(evidence.hasValues(), evidence::toString);
      }
    }
  }

  @Test
  void everyLineIsComplete() {
    Set<Evidence> seen = new HashSet<>();
    for (Evidence evidence : Evidence.ALL) {
      assertTrue(seen.add(evidence), evidence::toString);
      assertEquals(evidence.kind().hasFile(), !evidence.file().isEmpty(), evidence::toString);
      assertFalse(evidence.source().isBlank(), evidence::toString);
      for (String family : evidence.families()) {
        assertTrue(
            TABLE.family(family).rows().stream().anyMatch(evidence.channel()::contains),
            evidence::toString);
      }
    }
  }

  @Test
  void everyFamilyHasEvidenceInEachChannel() {
    Set<String> expected = new TreeSet<>();
    for (Row row : PackagedTable.rows()) {
      for (Evidence.Channel channel : Evidence.Channel.values()) {
        if (row.isOn() && channel.contains(row)) {
          expected.add(row.family() + " " + channel);
        }
      }
    }
    Set<String> found = new TreeSet<>();
    for (Evidence evidence : Evidence.ALL) {
      for (String family : evidence.families()) {
        found.add(family + " " + evidence.channel());
      }
    }
    assertEquals(expected, found);
  }

  private static String family(String serial) {
    return TABLE.family(serial, "").orElseThrow(() -> new AssertionError(serial)).name();
  }
}
