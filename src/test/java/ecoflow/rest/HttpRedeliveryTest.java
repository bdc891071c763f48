package ecoflow.rest;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ecoflow.api.CloudException;
import ecoflow.testkit.RouteKit;
import java.io.IOException;
import java.util.Map;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.Processor;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One redelivery policy for all kinds of failures, which applies to calls only. */
class HttpRedeliveryTest {

  private RouteKit routes;

  private void start(Processor call, Processor store) {
    routes =
        RouteKit.load("http-redelivery", "rest-device-values", "unexpected-errors")
            .rest()
            .variable("HTTP_RETRIES", "2")
            .variable("HTTP_BACKOFF_FACTOR", "0.01")
            .with("direct:signed-call", call)
            .with("direct:quotas", store)
            .start();
  }

  @AfterEach
  void stop() {
    routes.close();
  }

  private int attempts(Exception failure) {
    start(
        exchange -> {
          throw failure;
        },
        exchange -> {});
    assertThrows(
        CamelExecutionException.class, () -> routes.send("direct:quota-call", "R331", Map.of()));
    return routes.bodies("direct:signed-call").size();
  }

  private static Exception http(int status) {
    return new HttpOperationFailedException("/", status, "", null, Map.of(), null);
  }

  @Test
  void retriesAfterIoError() {
    assertEquals(3, attempts(new IOException("reset")));
  }

  @Test
  void retriesWhenServerIsBusy() {
    assertEquals(3, attempts(http(503)));
  }

  @Test
  void retriesAfterWrongSignature() {
    assertEquals(3, attempts(new CloudException("8521", "signature is wrong")));
  }

  @Test
  void doesNotRetryAfterNotFound() {
    assertEquals(1, attempts(http(404)));
  }

  @Test
  void doesNotRetryAfterPermanentError() {
    assertEquals(1, attempts(new CloudException("1006", "not allowed")));
  }

  @Test
  void doesNotRetryAfterFailureOfLaterStep() {
    start(
        exchange -> exchange.getMessage().setBody(Map.of("pd.soc", 1)),
        exchange -> {
          throw new IOException("disk full");
        });

    routes.send("direct:device-poll", "R331", Map.of());
    eventually(() -> assertEquals(1, routes.bodies("direct:quotas").size()));
    routes.send("direct:device-poll", "R332", Map.of());
    eventually(() -> assertEquals(2, routes.bodies("direct:quotas").size()));

    assertEquals(2, routes.bodies("direct:signed-call").size());
  }
}
