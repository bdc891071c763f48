package ecoflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the documents promise to routes of users is there. */
class DoorsTest {

  private static final Pattern ROW =
      Pattern.compile(
          "^\\| (?:`((?:direct|seda):[\\w-]+)`|bean `(\\w+)`(?:, method `(\\w+)`)?) \\|",
          Pattern.MULTILINE);

  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZDOORS000001", "Garage", "DELTA 2", WireFormat.JSON);

  @RegisterExtension final ExporterExtension account = ExporterExtension.mqtt().with(delta);

  @RegisterExtension final ExporterExtension rest = ExporterExtension.rest().with(delta);

  private record Door(String endpoint, String bean, String method) {}

  private static List<Door> doors(String document) throws IOException {
    Matcher rows = ROW.matcher(Files.readString(Path.of(document)));
    return rows.results().map(row -> new Door(row.group(1), row.group(2), row.group(3))).toList();
  }

  @Test
  void theManualNamesEndpointsAndBeansThatAreThere() throws Exception {
    account.start();
    rest.start();
    List<Door> doors = doors("docs/MANUAL.md");
    assertEquals(11, doors.size(), doors::toString);
    Set<String> sinks = new TreeSet<>();
    for (Door door : doors) {
      if (door.endpoint() == null) {
        hasBean(account.camelContext(), door);
      } else if (door.endpoint().startsWith("seda:")) {
        sinks.add(door.endpoint());
      } else {
        assertTrue(
            begins(account.camelContext(), door) || begins(rest.camelContext(), door),
            door::toString);
      }
    }
    // What comes there: SinksTest.
    assertEquals(Set.of("seda:changes-NAME", "seda:pictures-NAME"), sinks);
  }

  @Test
  void theTutorialNamesNoOtherDoors() throws IOException {
    assertTrue(doors("docs/MANUAL.md").containsAll(doors("docs/ROUTES.md")));
    assertEquals(9, doors("docs/ROUTES.md").size());
  }

  private static boolean begins(CamelContext camel, Door door) {
    return camel.getRoutes().stream()
        .map(route -> route.getEndpoint().getEndpointBaseUri())
        .anyMatch(uri -> uri.equals(door.endpoint().replace(":", "://")));
  }

  private static void hasBean(CamelContext camel, Door door) {
    Object bean = camel.getRegistry().lookupByName(door.bean());
    assertNotNull(bean, door::toString);
    if (door.method() != null) {
      assertTrue(
          Arrays.stream(bean.getClass().getMethods())
              .anyMatch(method -> method.getName().equals(door.method())),
          door::toString);
    }
  }
}
