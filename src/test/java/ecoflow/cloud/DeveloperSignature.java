package ecoflow.cloud;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The server's check of the developer API signature: HMAC-SHA256 over the sorted parameters and the
 * tail accessKey, nonce, timestamp. Implemented independently of the exporter's signing, so that a
 * mistake in one of them is detected.
 */
final class DeveloperSignature {

  private static final Duration MAX_CLOCK_DIFFERENCE = Duration.ofMinutes(5);

  private final String accessKey;
  private final String secretKey;

  /** The time of each pair of nonce and timestamp, which must not be used twice. */
  private final Map<String, Instant> seen = new HashMap<>();

  DeveloperSignature(String accessKey, String secretKey) {
    this.accessKey = accessKey;
    this.secretKey = secretKey;
  }

  /** The expected signature in lower-case hex. */
  String expected(Map<String, String> parameters, String nonce, String timestamp) {
    SortedMap<String, String> sorted = new TreeMap<>(parameters);
    StringBuilder text = new StringBuilder();
    sorted.forEach((key, value) -> text.append(key).append('=').append(value).append('&'));
    text.append("accessKey=").append(accessKey);
    text.append("&nonce=").append(nonce);
    text.append("&timestamp=").append(timestamp);
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secretKey.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
      return HexFormat.of()
          .formatHex(mac.doFinal(text.toString().getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** True for a correct and recent signature that has not been used before. */
  synchronized boolean accepts(
      Map<String, String> parameters, String nonce, String timestamp, String signature) {
    if (nonce == null || timestamp == null || !timestamp.matches("\\d{13}")) {
      return false;
    }
    Instant now = Instant.now();
    Duration difference =
        Duration.between(Instant.ofEpochMilli(Long.parseLong(timestamp)), now).abs();
    if (difference.compareTo(MAX_CLOCK_DIFFERENCE) > 0
        || !expected(parameters, nonce, timestamp).equals(signature)) {
      return false;
    }
    // A timestamp can be in the future, so a pair is kept for the whole window on both sides of
    // now.
    seen.values().removeIf(time -> time.isBefore(now.minus(MAX_CLOCK_DIFFERENCE.multipliedBy(2))));
    return seen.putIfAbsent(nonce + ' ' + timestamp, now) == null;
  }
}
