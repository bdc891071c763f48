package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class MaskTest {

  private static String masked(String text, String... words) {
    byte[] bytes = text.getBytes(UTF_8);
    byte[] masked = Mask.bytes(bytes, List.of(words));
    assertEquals(bytes.length, masked.length, "lengths stay");
    return new String(masked, UTF_8);
  }

  @Test
  void serialNumbersKeepTheirModel() {
    assertEquals("\u0001R331XXXXXXXXXXXX\u0002", masked("\u0001R331ZEB4ZEAL0528\u0002"));
    assertEquals("BK11XXXXXXXXXXXX,HJ31XXXXXXXXXXXX", masked("BK11ZE1B2H4B0001,HJ31ZDH5ZG5W0052"));
    assertEquals("short AB12 STAYS", masked("short AB12 STAYS"));
  }

  @Test
  void userIdsMailAddressesAndNamesGo() {
    assertEquals("/app/0000000000000000000/x", masked("/app/1792345678901234567/x"));
    assertEquals("xxxxxxxxxxxxxxxx!", masked("anna@example.org!"));
    assertEquals("xxxxxxxx in xxxxxxxx", masked("Küche 1 in Küche 1", "Küche 1"));
  }

  @Test
  void allOtherBytesStay() {
    byte[] bytes = new byte[256];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    byte[] other = new String(bytes, ISO_8859_1).replaceAll("[0-9A-Z]", "").getBytes(ISO_8859_1);
    assertArrayEquals(other, Mask.bytes(other, List.of()));
  }
}
