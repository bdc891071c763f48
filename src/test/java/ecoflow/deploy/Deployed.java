package ecoflow.deploy;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.config.Variable;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Reads the variables in deployment files like the exporter. */
final class Deployed {

  private static final Set<String> SECRETS =
      Set.of(
          "ECOFLOW_ACCESS_KEY",
          "ECOFLOW_SECRET_KEY",
          "ECOFLOW_ACCOUNT_USER",
          "ECOFLOW_ACCOUNT_PASSWORD");

  private Deployed() {}

  /** All variables that the exporter and its launcher read. */
  static Set<String> known() throws ConfigException {
    Set<String> names = new TreeSet<>();
    Map<String, String> least =
        Map.of("ECOFLOW_ACCESS_KEY", "x", "ECOFLOW_SECRET_KEY", "x", "ECOFLOW_DEVICE_SN", "all");
    Settings.explain(least).stream().map(Variable::name).forEach(names::add);
    SECRETS.forEach(name -> names.add(name + "_FILE"));
    return names;
  }

  /**
   * Fails with the message of the exporter if the variables are invalid.
   *
   * @param filled values for the variables that are empty in the file
   */
  static Settings accepts(Map<String, String> variables, Map<String, String> filled)
      throws ConfigException {
    Map<String, String> all = new HashMap<>(variables);
    all.putAll(filled);
    return Settings.from(all);
  }
}
