import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.testkit.RouteKit;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BatteryLevelTest {

  private static final Path FILE = Path.of("../routes/tutorial/rename-metric.camel.yaml");

  @Test
  void theBatteryLevelIsRenamed() {
    try (RouteKit routes = RouteKit.load("quotas").file(FILE).device("R331").start()) {
      routes.send("R331", Map.of("pd.soc", 81, "pd.watts", 5));

      assertEquals(81, routes.page().of("R331", "battery_level"));
      assertEquals(Double.NaN, routes.page().of("R331", "pd_soc"));
    }
  }
}
