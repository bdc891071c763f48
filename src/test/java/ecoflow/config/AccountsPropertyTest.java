package ecoflow.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Each account has the settings of an exporter with this account only. */
class AccountsPropertyTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** The credentials of an account, and values for all other keys. */
  private static final List<Map<String, String>> CREDENTIALS =
      List.of(
          Map.of("user", "me@example.com", "password", " p: #1 'x' "),
          Map.of("user", "me@example.com", "password", "*!&", "mode", "device"),
          Map.of("access_key", "null", "secret_key", "0123"),
          Map.of("access_key", "{a}", "secret_key", "~", "mode", "OPEN"));

  private static final Map<String, List<String>> VALUES = new LinkedHashMap<>();

  static {
    VALUES.put("devices", List.of("all", "R331A", "r331a, R331B"));
    VALUES.put("api_host", List.of("api-a.ecoflow.com", "localhost:8443", "a.example,b.example"));
    VALUES.put("device_name", List.of("R331A=Shed, left", "R331A=a=b"));
    VALUES.put("product_name", List.of("R331A=DELTA 2"));
    VALUES.put("device_general_key", List.of("R331A=ecoflow_ps_delta_2"));
    for (String seconds :
        List.of(
            "collecting_interval",
            "full_interval",
            "push_lead",
            "device_list_cache_ttl",
            "quota_request_interval",
            "retry_timeout",
            "max_reconnect_delay",
            "mqtt_keepalive",
            "credentials_ttl",
            "mqtt_timeout",
            "series_ttl")) {
      VALUES.put(seconds, List.of("1", "20.5", "3e1", "0300"));
    }
    VALUES.put("max_devices", List.of("1", "12"));
  }

  /** Pairs of a key and a value; later pairs replace earlier ones. */
  @Provide
  Arbitrary<Map<String, String>> accounts() {
    Arbitrary<Map.Entry<String, String>> setting =
        Arbitraries.of(VALUES.keySet())
            .flatMap(key -> Arbitraries.of(VALUES.get(key)).map(value -> Map.entry(key, value)));
    return Arbitraries.of(CREDENTIALS)
        .flatMap(
            credentials ->
                setting
                    .list()
                    .ofMaxSize(12)
                    .map(
                        settings -> {
                          Map<String, String> account = new LinkedHashMap<>(credentials);
                          settings.forEach(one -> account.put(one.getKey(), one.getValue()));
                          return account;
                        }));
  }

  @Property(tries = 200)
  void accountEqualsItsEnvironment(
      @ForAll("accounts") Map<String, String> account,
      @ForAll("accounts") Map<String, String> defaults)
      throws Exception {
    Map<String, String> environment = new HashMap<>(Map.of("EXPORTER_PORT", "9191"));
    defaults.forEach(
        (key, value) -> {
          String variable = AccountKeys.VARIABLES.get(key);
          boolean hasOwnMode = account.containsKey("mode") || !key.equals("mode");
          // Names of other devices are allowed in the file, but not in an environment.
          if (!AccountKeys.ONLY_IN_FILE.contains(variable)
              && !AccountKeys.BY_DEVICE.contains(key)
              && hasOwnMode) {
            environment.put(variable, value);
          }
        });
    Map<String, String> alone = new HashMap<>(environment);
    alone.put("ECOFLOW_DEVICE_SN", "all");
    account.forEach((key, value) -> alone.put(AccountKeys.VARIABLES.get(key), value));

    Path file = Files.createTempFile("accounts", ".yml");
    try {
      Map<String, Object> named = new LinkedHashMap<>(account);
      named.put("name", "a");
      Files.writeString(
          file,
          JSON.writerWithDefaultPrettyPrinter()
              .writeValueAsString(Map.of("accounts", List.of(named))));
      environment.put("ECOFLOW_ACCOUNTS_FILE", file.toString());
      assertEquals(
          parts(Settings.from(alone)),
          parts(Configuration.from(environment).accounts().get(0).settings()));
    } finally {
      Files.delete(file);
    }
  }

  /** All settings except the registries, which have no equality, and the texts of notes. */
  private static List<Object> parts(Settings settings) {
    return new ArrayList<>(
        List.of(
            settings.mode(),
            settings.credentials(),
            settings.devices(),
            settings.http(),
            settings.mqtt(),
            settings.page(),
            settings.registries().names(),
            settings.logLevel(),
            settings.routesDir(),
            settings.routesReload(),
            settings.libDir(),
            settings.messagesDir(),
            settings.recording(),
            settings.notes().size()));
  }
}
