package ecoflow.routefiles;

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

/** The entry points for custom routes that are listed in the documents exist. */
class EntryPointsTest {

  private static final Pattern ROW =
      Pattern.compile(
          "^\\| (?:`((?:direct|seda):[\\w-]+)`|bean `(\\w+)`(?:, method `(\\w+)`)?) \\|",
          Pattern.MULTILINE);

  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZENTRY000001", "Garage", "DELTA 2", WireFormat.JSON);

  @RegisterExtension final ExporterExtension account = ExporterExtension.mqtt().with(delta);

  @RegisterExtension final ExporterExtension rest = ExporterExtension.rest().with(delta);

  private record EntryPoint(String endpoint, String bean, String method) {}

  private static List<EntryPoint> entryPoints(String document) throws IOException {
    Matcher rows = ROW.matcher(Files.readString(Path.of(document)));
    return rows.results()
        .map(row -> new EntryPoint(row.group(1), row.group(2), row.group(3)))
        .toList();
  }

  @Test
  void everyEntryPointOfTheManualExists() throws Exception {
    account.start();
    rest.start();
    List<EntryPoint> points = entryPoints("docs/MANUAL.md");
    assertEquals(15, points.size(), points::toString);
    Set<String> sinks = new TreeSet<>();
    for (EntryPoint point : points) {
      if (point.endpoint() == null) {
        hasBean(account.camelContext(), point);
      } else if (point.endpoint().startsWith("seda:")) {
        sinks.add(point.endpoint());
      } else {
        assertTrue(
            hasRoute(account.camelContext(), point) || hasRoute(rest.camelContext(), point),
            point::toString);
      }
    }
    // SinksTest covers their messages.
    assertEquals(Set.of("seda:changes-NAME", "seda:pictures-NAME"), sinks);
  }

  @Test
  void theTutorialListsNoOtherEntryPoints() throws IOException {
    assertTrue(entryPoints("docs/MANUAL.md").containsAll(entryPoints("docs/ROUTES.md")));
    assertEquals(12, entryPoints("docs/ROUTES.md").size());
  }

  private static boolean hasRoute(CamelContext camel, EntryPoint point) {
    return camel.getRoutes().stream()
        .map(route -> route.getEndpoint().getEndpointBaseUri())
        .anyMatch(uri -> uri.equals(point.endpoint().replace(":", "://")));
  }

  private static void hasBean(CamelContext camel, EntryPoint point) {
    Object bean = camel.getRegistry().lookupByName(point.bean());
    assertNotNull(bean, point::toString);
    if (point.method() != null) {
      assertTrue(
          Arrays.stream(bean.getClass().getMethods())
              .anyMatch(method -> method.getName().equals(point.method())),
          point::toString);
    }
  }
}
