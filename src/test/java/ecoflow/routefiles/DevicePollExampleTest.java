package ecoflow.routefiles;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.testkit.RouteTestSupport;
import java.io.IOException;
import java.util.Map;
import org.apache.camel.builder.AdviceWith;
import org.apache.camel.component.mock.MockEndpoint;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Example: responses and failures of a call, with a mock in place of the route that calls. */
class DevicePollExampleTest extends RouteTestSupport {

  private MockEndpoint call;
  private MockEndpoint quotas;

  DevicePollExampleTest() {
    super(
        "rest-device-values",
        "ECOFLOW_API_TYPE=rest",
        "ECOFLOW_ACCESS_KEY=key",
        "ECOFLOW_SECRET_KEY=secret");
  }

  @BeforeEach
  void replaceOtherRoutes() throws Exception {
    AdviceWith.adviceWith(
        context,
        "device-poll",
        route -> {
          route.weaveByToUri("direct:quota-call").replace().to("mock:call");
          route.weaveByToUri("direct:quotas").replace().to("mock:quotas");
        });
    call = getMockEndpoint("mock:call");
    quotas = getMockEndpoint("mock:quotas");
    context.start();
  }

  @Test
  void aResponseIsSentWithTheSerialNumber() throws Exception {
    call.whenAnyExchangeReceived(exchange -> exchange.getMessage().setBody(Map.of("pd.soc", 81)));
    quotas.expectedBodiesReceived(Map.of("pd.soc", 81));
    quotas.expectedHeaderReceived("EcoflowDevice", "R331");
    quotas.expectedHeaderReceived("EcoflowSource", "rest");

    sendWithAccount("direct:device-poll", "R331");

    quotas.assertIsSatisfied();
  }

  @Test
  void aFailedCallIsCountedAndSendsNothing() throws Exception {
    call.whenAnyExchangeReceived(
        exchange -> {
          throw new IOException("connection reset");
        });
    quotas.expectedMessageCount(0);

    sendWithAccount("direct:device-poll", "R331");

    quotas.assertIsSatisfied(100);
    assertEquals(1, page().scrapes("R331", "error"));
  }
}
