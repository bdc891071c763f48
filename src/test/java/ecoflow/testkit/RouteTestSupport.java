package ecoflow.testkit;

import ecoflow.Beans;
import ecoflow.account.Account;
import ecoflow.config.Settings;
import java.util.HashMap;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.AdviceWith;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.test.junit5.CamelTestSupport;
import org.apache.camel.test.junit5.TestExecutionConfiguration;
import org.junit.jupiter.api.AfterEach;

/**
 * A route file in Camel's test kit, with the beans of the exporter. A test replaces endpoints with
 * {@link AdviceWith}, and then starts the context.
 */
public abstract class RouteTestSupport extends CamelTestSupport {

  private final String file;
  private final Map<String, String> variables = new HashMap<>();
  private Beans beans;

  /**
   * Loads a route file, for a device with the serial number R331.
   *
   * @param file the name of a packaged file without its suffix, or a resource such as {@code
   *     "file:routes/mine.camel.yaml"}
   * @param variables settings such as {@code "ECOFLOW_API_TYPE=device"}, which include the
   *     credentials for the mode
   */
  protected RouteTestSupport(String file, String... variables) {
    this.file = file;
    this.variables.put("ECOFLOW_DEVICE_SN", "R331");
    Variables.assign(this.variables, variables);
  }

  /** The content of /metrics. */
  protected Page page() {
    return new Page(
        () -> template.requestBody("bean:metricsPage?method=answer", null, String.class),
        () -> variables.get("ECOFLOW_API_TYPE"));
  }

  /** Sends a message with the variable {@code account}, as timer routes do. */
  protected void sendWithAccount(String endpoint, Object body) {
    template.send(
        endpoint,
        exchange -> {
          exchange.setVariable(Account.VARIABLE, beans.accounts().all().get(0));
          exchange.getMessage().setBody(body);
        });
  }

  @Override
  public void configureTest(TestExecutionConfiguration configuration) {
    super.configureTest(configuration);
    configuration.withUseAdviceWith(true);
  }

  @Override
  protected CamelContext createCamelContext() throws Exception {
    CamelContext camel = super.createCamelContext();
    beans = new Beans(Settings.from(variables));
    beans.configure(camel);
    return camel;
  }

  @Override
  protected RoutesBuilder[] createRouteBuilders() throws Exception {
    String location = file.contains(":") ? file : "classpath:routes/" + file + ".camel.yaml";
    Resource resource = PluginHelper.getResourceLoader(context).resolveResource(location);
    return PluginHelper.getRoutesLoader(context)
        .findRoutesBuilders(resource)
        .toArray(RoutesBuilder[]::new);
  }

  @AfterEach
  void closeBeans() {
    beans.close();
  }
}
