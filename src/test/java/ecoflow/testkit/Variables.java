package ecoflow.testkit;

import ecoflow.cloud.SimulatedCloud;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The environment of an exporter with a simulated cloud: all devices, their raw metrics, short
 * intervals, and the credentials for its mode. Additional variables are written as in a shell,
 * {@code "HTTP_RETRIES=2"}.
 */
public final class Variables {

  private static final Map<String, String> DEFAULTS =
      Map.of(
          "ECOFLOW_METRICS", "raw",
          "COLLECTING_INTERVAL", "0.3",
          "QUOTA_REQUEST_INTERVAL", "0.5",
          "RETRY_TIMEOUT", "0.5",
          "HTTP_BACKOFF_FACTOR", "0.05",
          "DEVICE_LIST_CACHE_TTL", "0.3");

  private Variables() {}

  /** Variables for a mode: rest, open, mqtt or device. */
  public static Map<String, String> of(SimulatedCloud cloud, String mode, String... more) {
    Map<String, String> variables = new HashMap<>(DEFAULTS);
    variables.put("ECOFLOW_API_HOST", cloud.apiHost());
    variables.put("ECOFLOW_CA_FILE", cloud.caFile().toString());
    variables.put("ECOFLOW_DEVICE_SN", "all");
    if (mode.equals("rest") || mode.equals("open")) {
      variables.put("ECOFLOW_API_TYPE", mode);
      variables.put("ECOFLOW_ACCESS_KEY", cloud.account().accessKey());
      variables.put("ECOFLOW_SECRET_KEY", cloud.account().secretKey());
    } else {
      variables.put("ECOFLOW_API_TYPE", mode);
      variables.put("ECOFLOW_ACCOUNT_USER", cloud.account().email());
      variables.put("ECOFLOW_ACCOUNT_PASSWORD", cloud.account().password());
    }
    assign(variables, more);
    return variables;
  }

  /** Variables with an accounts file. */
  public static Map<String, String> ofFile(Path accounts, String... more) {
    Map<String, String> variables = new HashMap<>(DEFAULTS);
    variables.put("ECOFLOW_ACCOUNTS_FILE", accounts.toString());
    assign(variables, more);
    return variables;
  }

  /** Sets variables that are written as in a shell. */
  static void assign(Map<String, String> variables, String... assignments) {
    for (String assignment : assignments) {
      int equals = assignment.indexOf('=');
      variables.put(assignment.substring(0, equals), assignment.substring(equals + 1));
    }
  }
}
