package ecoflow.cloud;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * One HTTP request that the cloud received.
 *
 * @param query decoded query parameters
 * @param headers by header name, case-insensitive
 */
public record CloudRequest(
    Instant time,
    String method,
    String path,
    Map<String, String> query,
    Map<String, List<String>> headers,
    String body) {

  /** The first value of a header, or null. */
  public String header(String name) {
    List<String> values = headers.get(name);
    return values == null || values.isEmpty() ? null : values.get(0);
  }

  /** The time from the arrival of another request to this one, in milliseconds. */
  public long millisAfter(CloudRequest earlier) {
    return Duration.between(earlier.time(), time).toMillis();
  }
}
