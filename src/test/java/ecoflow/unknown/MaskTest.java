package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.Charset;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

class MaskTest {

  private static String masked(String text, String... words) {
    byte[] bytes = text.getBytes(UTF_8);
    byte[] masked = new Mask(List.of(words), List.of(), new Pseudonyms(0)).patterns(bytes);
    assertEquals(bytes.length, masked.length, "the length does not change");
    return new String(masked, UTF_8);
  }

  @Test
  void serialNumbersKeepTheirModel() {
    assertEquals("\u0001R331XXXXXXXX0001\u0002", masked("\u0001R331ZEB4ZEAL0528\u0002"));
    assertEquals(
        "BK11XXXXXXXX0001,HJ31XXXXXXXX0002,BK11XXXXXXXX0001",
        masked("BK11ZE1B2H4B0001,HJ31ZDH5ZG5W0052,BK11ZE1B2H4B0001"));
    assertEquals("short AB12 STAYS", masked("short AB12 STAYS"));
  }

  @Test
  void userIdsMailAddressesAndNamesAreMasked() {
    assertEquals("/app/0000000000000000000/x", masked("/app/1792345678901234567/x"));
    assertEquals("xxxxxxxxxxxxxxxx!", masked("anna@example.org!"));
    assertEquals("xxxxxxxx in xxxxxxxx", masked("Küche 1 in Küche 1", "Küche 1"));
  }

  @Test
  void allOtherBytesAreKept() {
    byte[] bytes = new byte[256];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    byte[] other = new String(bytes, ISO_8859_1).replaceAll("[0-9A-Z]", "").getBytes(ISO_8859_1);
    assertArrayEquals(other, new Mask(List.of(), List.of(), new Pseudonyms(0)).patterns(other));
  }

  private static String maskedWithKnownSerials(String text) {
    byte[] bytes = text.getBytes(UTF_8);
    byte[] masked =
        new Mask(List.of(), List.of("R331ZEB4ZEAL0528"), new Pseudonyms(0)).patterns(bytes);
    assertEquals(bytes.length, masked.length, "the length does not change");
    return new String(masked, UTF_8);
  }

  @Test
  void lowerCaseAndConsecutiveSerialNumbersAreMasked() {
    assertEquals("r331XXXXXXXX0001", masked("r331zeb4zeal0528"));
    String both = "R331ZEB4ZEAL0528HJ31ZDH5ZG5W0052";
    assertEquals("R331" + "X".repeat(24) + "0000", masked(both));
    assertEquals("R331XXXXXXXX0001", maskedWithKnownSerials("R331zeB4ZEal0528"));
  }

  @Test
  void partsOfKnownSerialNumbersAreMasked() {
    assertEquals(
        "{\"a\":\"R331XXXX\",\"b\":\"XXXX0001\"}",
        maskedWithKnownSerials("{\"a\":\"R331ZEB4\",\"b\":\"ZEAL0528\"}"));
    assertEquals("31XXX X0001 0528 R331", maskedWithKnownSerials("31ZEB L0528 0528 R331"));
  }

  /** Also if the adjacent text consists of base64 characters, which shifts the groups. */
  @Test
  void base64IsMaskedAtAnyOffset() {
    for (String before : List.of("", "a", "ab", "abc")) {
      for (Base64.Encoder encoder : List.of(Base64.getEncoder(), Base64.getUrlEncoder())) {
        String plain = "\u00ff{\"sn\":\"R331ZEB4ZEAL0528\",\"mail\":\"anna@example.org\"}";
        String encoded = encoder.encodeToString(plain.getBytes(UTF_8));
        String masked = masked("\"" + before + encoded + "\"");
        String decoded =
            new String(
                (encoder == Base64.getEncoder() ? Base64.getDecoder() : Base64.getUrlDecoder())
                    .decode(masked.substring(1 + before.length(), masked.length() - 1)),
                UTF_8);
        assertEquals("\u00ff{\"sn\":\"R331XXXXXXXX0001\",\"mail\":\"xxxxxxxxxxxxxxxx\"}", decoded);
      }
    }
  }

  @Test
  void utf16IsMaskedInBothOrders() {
    for (Charset charset : List.of(UTF_16LE, UTF_16BE)) {
      byte[] bytes = "sn R331ZEB4ZEAL0528 in K\u00fcche 1, \u5bb6\u5bb6\u5bb6".getBytes(charset);
      byte[] masked =
          new Mask(List.of("K\u00fcche 1", "\u5bb6\u5bb6\u5bb6"), List.of(), new Pseudonyms(0))
              .patterns(bytes);
      assertEquals("sn R331XXXXXXXX0001 in xxxxxxx, xxx", new String(masked, charset));
    }
  }

  @Test
  void networksAndCoordinatesAreMasked() {
    assertEquals("ip 000.000.0.00, 1.2.3", masked("ip 192.168.1.24, 1.2.3"));
    assertEquals(
        "00:00:00:00:00:00 00-00-00-00-00-00", masked("a4:cf:12:0b:9C:de A4-CF-12-0B-9C-DE"));
    assertEquals("000000000000 at 12:34:56", masked("a4cf120b9cde at 12:34:56"));
    assertEquals("0000.0000.0000 0000::0", masked("a4cf.120b.9cde fe80::1"));
    assertEquals("call +00 000 0000000, 2-3", masked("call +49 170 1234567, 2-3"));
    assertEquals("0000::0000:000:0000:0000 !", masked("fe80::a6cf:12f:fe0b:9cde !"));
    assertEquals(
        "{\"ssid\":\"xxxxxxxxxxxxxx\",\"wifiSsid\" : \"xx\",\"password\":\"xxxxxx\",\"soc\":5}",
        masked(
            "{\"ssid\":\"FRITZ!Box, 7590\",\"wifiSsid\" : \"me\",\"password\":\"s3cr3t\",\"soc\":5}"
                .replace(", ", ",")));
    assertEquals(
        "{\\\"ssid\\\":\\\"xxxx\\\",ssid=xxxx;", masked("{\\\"ssid\\\":\\\"Home\\\",ssid=Home;"));
    assertEquals(
        "{\"latitude\":00.000000,\"homeLng\":\"-00.00000\",\"plate\":48.1}",
        masked("{\"latitude\":48.137154,\"homeLng\":\"-11.57612\",\"plate\":48.1}"));
    assertEquals("[00.000000, 00.000000] 3.65,12.1", masked("[48.137154, 11.576124] 3.65,12.1"));
  }
}
