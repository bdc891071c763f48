package ecoflow.rest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.config.Settings.Credentials;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Test vectors of EcoFlow's developer documentation. */
class SignatureTest {

  private static final Credentials KEYS =
      new Credentials("Fp4SvIprYSDPXtYJidEtUAd1o", "WIbFEKre0s6sLnh4ei7SPUeYnptHG6V");

  private final Signature signature = new Signature();

  @Test
  void signsOfficialVector() {
    Map<String, Object> body =
        Map.of("sn", "123456789", "params", Map.of("cmdSet", 11, "id", 24, "eps", 0));

    assertEquals(
        "07c13b65e037faf3b153d51613638fa80003c4c38d2407379a7f52851af1473e",
        Signature.sign(KEYS, body, "345164", "1671171709428"));
  }

  @Test
  void eachAttemptHasNewNonceOfSixDigits() {
    List<String> nonces = Stream.generate(signature::nonce).limit(100).toList();

    assertTrue(nonces.stream().allMatch(nonce -> nonce.matches("[1-9][0-9]{5}")), nonces::toString);
    assertTrue(nonces.stream().distinct().count() > 90, nonces::toString);
  }

  @Test
  void flattensOfficialVector() {
    Map<String, Object> parameters = new LinkedHashMap<>();
    parameters.put("name", "demo1");
    parameters.put("ids", List.of(1, 2, 3));
    parameters.put("deviceInfo", Map.of("id", 1));
    parameters.put("deviceList", List.of(Map.of("id", 1), Map.of("id", 2)));

    assertEquals(
        List.of(
            "deviceInfo.id=1",
            "deviceList[0].id=1",
            "deviceList[1].id=2",
            "ids[0]=1",
            "ids[1]=2",
            "ids[2]=3",
            "name=demo1"),
        Signature.flatten(parameters).entrySet().stream()
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .toList());
  }

  @Test
  void writesBooleansAndNullAsText() {
    Map<String, Object> parameters = new LinkedHashMap<>();
    parameters.put("on", true);
    parameters.put("nothing", null);

    assertEquals(Map.of("on", "true", "nothing", "null"), Signature.flatten(parameters));
  }

  @Test
  void onlyTailIsSignedWithoutParameters() {
    // Computed by openssl dgst -sha256 -hmac over accessKey=..&nonce=345164&timestamp=1671171709428
    assertEquals(
        "4409ae9efeaf0be9b8b48f02ebef8e804387e745e513588c136955606ca496f5",
        Signature.sign(KEYS, Map.of(), "345164", "1671171709428"));
  }
}
