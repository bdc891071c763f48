package ecoflow;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.config.Configuration;
import ecoflow.config.Settings;
import ecoflow.routefiles.RouteFile;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Variables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServerConfiguration;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The routes without the exporter's main class: a plain Camel context, the beans, and the route
 * files, as in the Camel CLI or Camel K.
 */
class BeansTest {

  private static final Path ROUTES = Path.of("src/main/resources/routes");

  /** Objects of libraries, and the processor that the error handler requires. */
  private static final Set<String> OTHER_NAMES =
      Set.of(
          "metricsRegistry",
          "boundedJson",
          "messageJson",
          "cloudTls",
          "prepareRedelivery",
          "firstContactPauses",
          "login",
          "pollTimes",
          "requestTimes",
          "idleChecks",
          "subscriptionRetries",
          "listChecks",
          "deviceSearches",
          "historyTimes");

  private final List<CamelContext> contexts = new ArrayList<>();

  @AfterEach
  void stop() {
    contexts.forEach(CamelContext::stop);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rest", "open", "mqtt", "device"})
  void aPlainCamelContextRunsTheRoutes(String mode) throws Exception {
    SimulatedDevice device =
        new SimulatedDevice("R331ZPLAIN000001", "Garage", "DELTA 2", WireFormat.JSON)
            .set(Map.of("pd.soc", 81));
    int port = Ports.next();
    Page page = ExporterJar.pageAt(port);
    CamelContext camel = new DefaultCamelContext();
    contexts.add(camel);
    try (SimulatedCloud cloud = SimulatedCloud.start().add(device);
        Beans beans = new Beans(Settings.from(Variables.of(cloud, mode)))) {
      VertxPlatformHttpServerConfiguration server = new VertxPlatformHttpServerConfiguration();
      server.setBindPort(port);
      camel.addService(new VertxPlatformHttpServer(server));
      beans.configure(camel);
      for (Path file : files()) {
        PluginHelper.getRoutesLoader(camel)
            .loadRoutes(ResourceHelper.resolveResource(camel, "file:" + file));
      }
      camel.start();

      eventually(
          () -> {
            device.pushAll();
            assertEquals(81, page.of(device, "pd_soc"));
          });
      beans.disconnect();
      // Stop the web server before the beans close its Vert.x.
      camel.stop();
    }
  }

  private static List<Path> files() throws Exception {
    try (Stream<Path> files = Files.list(ROUTES)) {
      return files.sorted().toList();
    }
  }

  @Test
  void beansAndMethodsInRoutesExist(@TempDir Path directory) throws Exception {
    Path accounts = directory.resolve("accounts.yml");
    Files.writeString(
        accounts, "accounts: [{name: one, mode: rest, access_key: key, secret_key: secret}]");
    try (SimulatedCloud cloud = SimulatedCloud.start()) {
      CamelContext open = context(Variables.of(cloud, "open"));
      CamelContext device = context(Variables.of(cloud, "device"));
      CamelContext file = context(Variables.ofFile(accounts));
      CamelContext collector =
          context(
              Variables.of(
                  cloud, "device", "ECOFLOW_ROLE=collect", "ECOFLOW_KAFKA_BROKERS=127.0.0.1:1"));
      CamelContext server =
          context(Map.of("ECOFLOW_ROLE", "serve", "ECOFLOW_KAFKA_BROKERS", "127.0.0.1:1"));
      List<Path> all = new ArrayList<>(files());
      all.add(Path.of("src/main/resources/routes-fleet/kafka-serve.camel.yaml"));
      all.add(Path.of("src/main/resources/routes-fleet/kafka-collect.camel.yaml"));
      for (Path path : all) {
        RouteFile routes = RouteFile.read(path);
        for (String name : routes.beans().toList()) {
          Object bean = find(name, open, device, file, collector, server);
          assertNotNull(bean, path + " names " + name);
          if (!OTHER_NAMES.contains(name)) {
            assertTrue(
                Stream.concat(
                        Stream.of(bean.getClass()), Stream.of(bean.getClass().getInterfaces()))
                    .anyMatch(type -> type.getSimpleName().equalsIgnoreCase(name)),
                () -> name + " is a " + bean.getClass());
          }
        }
        for (RouteFile.Call call : routes.calls()) {
          Object bean = find(call.bean(), open, device, file, collector, server);
          assertTrue(
              Arrays.stream(bean.getClass().getMethods())
                  .anyMatch(method -> method.getName().equals(call.method())),
              path + " calls " + call);
        }
      }
    }
  }

  private CamelContext context(Map<String, String> variables) throws Exception {
    CamelContext camel = new DefaultCamelContext();
    contexts.add(camel);
    try (Beans beans = new Beans(Configuration.from(variables))) {
      beans.configure(camel);
    }
    return camel;
  }

  private static Object find(String name, CamelContext... contexts) {
    return Arrays.stream(contexts)
        .map(camel -> camel.getRegistry().lookupByName(name))
        .filter(bean -> bean != null)
        .findFirst()
        .orElse(null);
  }
}
