package ecoflow.routefiles;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.testkit.RouteTestSupport;
import java.util.Map;
import org.apache.camel.builder.AdviceWith;
import org.apache.camel.component.mock.MockEndpoint;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Example: the messages that leave a packaged route, with a mock in place of the next route. */
class PayloadExampleTest extends RouteTestSupport {

  private MockEndpoint quotas;

  PayloadExampleTest() {
    super(
        "payload",
        "ECOFLOW_API_TYPE=mqtt",
        "ECOFLOW_ACCOUNT_USER=owner@example.org",
        "ECOFLOW_ACCOUNT_PASSWORD=secret");
  }

  @BeforeEach
  void replaceTheNextRoute() throws Exception {
    AdviceWith.adviceWith(
        context,
        "json-object",
        route -> route.weaveByToUri("direct:quotas").replace().to("mock:quotas"));
    quotas = getMockEndpoint("mock:quotas");
    context.start();
  }

  private void send(String payload) {
    template.sendBodyAndHeaders(
        "direct:payload",
        payload.getBytes(),
        Map.of("EcoflowDevice", "R331", "EcoflowSource", "push"));
  }

  @Test
  void aJsonObjectBecomesAMapOfQuotas() throws Exception {
    quotas.expectedMessageCount(1);
    quotas.expectedHeaderReceived("EcoflowDevice", "R331");
    quotas.expectedHeaderReceived("EcoflowSource", "push");

    send(
        """
        {"params": {"pd.soc": 81, "pd.watts": 5}}
        """);

    quotas.assertIsSatisfied();
    assertEquals(
        Map.of("pd.soc", 81, "pd.watts", 5), quotas.getExchanges().get(0).getMessage().getBody());
  }

  @Test
  void anInvalidPayloadIsDropped() throws Exception {
    quotas.expectedMessageCount(1);

    send("no JSON");
    send(
        """
        {"params": {"pd.soc": 80}}
        """);

    quotas.assertIsSatisfied();
  }
}
