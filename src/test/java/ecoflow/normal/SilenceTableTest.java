package ecoflow.normal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The column silence_seconds of the packaged families.csv. */
class SilenceTableTest {

  @Test
  void silenceIsTheSameByNameAndSerialNumber() throws IOException {
    Table table = PackagedTable.load();
    int silent = 0;
    for (JsonNode model : new ObjectMapper().readTree(Path.of("devices.json").toFile())) {
      String name = model.path("name").asText();
      Duration byPrefix = table.silence(model.path("sn").asText(), "");
      // An empty serial number matches no prefix of the table: only the name decides.
      boolean isNameKnown = table.family("", name).isPresent();
      if (isNameKnown) {
        assertEquals(byPrefix, table.silence("", name), model::toString);
      }
      silent += byPrefix.isZero() ? 0 : 1;
    }
    assertTrue(silent > 10, "silent models");
  }

  @Test
  void longestPrefixHasPrecedenceOverName() {
    Table table = PackagedTable.load();
    assertEquals(Duration.ofSeconds(120), table.silence("AC71X", ""));
    assertEquals(Duration.ofSeconds(180), table.silence("HW52X", ""));
    assertEquals(Duration.ofSeconds(3000), table.silence("C376X", ""));
    assertEquals(Duration.ofSeconds(900), table.silence("BK02X", ""));
    assertEquals(Duration.ZERO, table.silence("BK11X", "STREAM Microinverter"));
    assertEquals(Duration.ofSeconds(900), table.silence("X", "STREAM Microinverter"));
  }
}
