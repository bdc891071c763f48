package ecoflow.account;

import ecoflow.config.Settings.Credentials;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs calls of the developer API. Source: EcoFlow's developer documentation, "signature": flatten
 * the parameters, sort them by ASCII, append access key, nonce and timestamp, HMAC-SHA256 in hex.
 */
final class Signer {

  private static final String ALGORITHM = "HmacSHA256";

  private final Credentials keys;

  Signer(Credentials keys) {
    this.keys = keys;
  }

  /**
   * @param nonce six digits, new for every attempt
   * @param timestamp milliseconds since 1970, new for every attempt
   * @return the headers accessKey, nonce, timestamp and sign
   */
  Map<String, String> headers(Map<String, ?> parameters, String nonce, long timestamp) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("accessKey", keys.id());
    headers.put("nonce", nonce);
    headers.put("timestamp", Long.toString(timestamp));
    String tail = join(headers);
    String flat = join(flatten(parameters));
    headers.put("sign", sign(flat.isEmpty() ? tail : flat + "&" + tail));
    return headers;
  }

  private static String join(Map<String, String> parameters) {
    return parameters.entrySet().stream()
        .map(entry -> entry.getKey() + "=" + entry.getValue())
        .collect(Collectors.joining("&"));
  }

  /** Nested objects as {@code a.b}, list elements as {@code a[0]}, sorted by ASCII. */
  static Map<String, String> flatten(Map<String, ?> parameters) {
    Map<String, String> flat = new TreeMap<>(Comparator.naturalOrder());
    parameters.forEach((key, value) -> flatten(key, value, flat));
    return flat;
  }

  private static void flatten(String key, Object value, Map<String, String> flat) {
    if (value instanceof Map<?, ?> map) {
      map.forEach((name, nested) -> flatten(key + "." + name, nested, flat));
    } else if (value instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        flatten(key + "[" + i + "]", list.get(i), flat);
      }
    } else {
      flat.put(key, String.valueOf(value));
    }
  }

  private String sign(String text) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(keys.secret().getBytes(StandardCharsets.UTF_8), ALGORITHM));
      return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has " + ALGORITHM, e);
    }
  }
}
