package ecoflow.rest;

import ecoflow.account.Account;
import ecoflow.config.Settings.Credentials;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.camel.ExchangeProperty;
import org.apache.camel.Header;
import org.apache.camel.Variable;

/**
 * The headers that sign a call to the developer API, bean {@code signature}. Source: EcoFlow's
 * developer documentation, "signature": the HMAC-SHA256, in hex, of the flattened parameters in
 * ASCII order, followed by access key, nonce and timestamp.
 */
final class Signature {

  private static final String ALGORITHM = "HmacSHA256";
  private static final int MIN_NONCE = 100_000;
  private static final int NONCE_COUNT = 900_000;

  private final SecureRandom random = new SecureRandom();

  public String accessKey(@Variable(Account.VARIABLE) Account account) {
    return account.settings().credentials().id();
  }

  /** Six random digits; differs between attempts. */
  public String nonce() {
    return Integer.toString(MIN_NONCE + random.nextInt(NONCE_COUNT));
  }

  /** The current time in milliseconds since 1970. */
  public String timestamp() {
    return Long.toString(System.currentTimeMillis());
  }

  /**
   * The signature of a call without parameters, with a serial number as its only parameter, or with
   * the parameters in its body.
   *
   * @param serial null for a call without parameters
   * @param body null for a call without a body
   */
  public String sign(
      @ExchangeProperty("apiDevice") String serial,
      @ExchangeProperty("apiParameters") Map<String, ?> body,
      @Header("nonce") String nonce,
      @Header("timestamp") String timestamp,
      @Variable(Account.VARIABLE) Account account) {
    Map<String, String> query = serial == null ? Map.of() : Map.of("sn", serial);
    return sign(account.settings().credentials(), body == null ? query : body, nonce, timestamp);
  }

  static String sign(Credentials keys, Map<String, ?> parameters, String nonce, String timestamp) {
    Map<String, String> tail = new LinkedHashMap<>();
    tail.put("accessKey", keys.id());
    tail.put("nonce", nonce);
    tail.put("timestamp", timestamp);
    String flat = join(flatten(parameters));
    return sign(keys, flat.isEmpty() ? join(tail) : flat + "&" + join(tail));
  }

  private static String join(Map<String, String> parameters) {
    return parameters.entrySet().stream()
        .map(entry -> entry.getKey() + "=" + entry.getValue())
        .collect(Collectors.joining("&"));
  }

  /** Nested members have the form {@code a.b}, list items {@code a[0]}; in ASCII order. */
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

  private static String sign(Credentials keys, String text) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(keys.secret().getBytes(StandardCharsets.UTF_8), ALGORITHM));
      return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has " + ALGORITHM, e);
    }
  }
}
