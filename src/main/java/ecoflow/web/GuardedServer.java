package ecoflow.web;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.impl.VertxInternal;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A Vert.x whose HTTP servers have the guard before them and the TLS that they are given. Camel
 * makes its server of the Vert.x that it finds, and offers no other place: what it knows of TLS
 * lacks client certificates, and its own log-in starts after the port is open.
 */
final class GuardedServer {

  private GuardedServer() {}

  /**
   * @param configure takes the options of each server before it is made
   * @param made takes each server
   */
  static Vertx of(
      Vertx vertx,
      Consumer<HttpServerOptions> configure,
      UnaryOperator<Handler<HttpServerRequest>> guard,
      Consumer<HttpServer> made) {
    return proxy(
        VertxInternal.class,
        vertx,
        (method, arguments) -> {
          if (!method.equals("createHttpServer")) {
            return null;
          }
          HttpServerOptions options =
              arguments.length > 0 ? (HttpServerOptions) arguments[0] : new HttpServerOptions();
          configure.accept(options);
          HttpServer server = vertx.createHttpServer(options);
          made.accept(server);
          return guarded(server, guard);
        });
  }

  private static HttpServer guarded(
      HttpServer server, UnaryOperator<Handler<HttpServerRequest>> guard) {
    return proxy(
        HttpServer.class,
        server,
        (method, arguments) -> {
          if (!method.equals("requestHandler") || arguments.length == 0) {
            return null;
          }
          @SuppressWarnings("unchecked")
          Handler<HttpServerRequest> handler = (Handler<HttpServerRequest>) arguments[0];
          return server.requestHandler(guard.apply(handler));
        });
  }

  private interface Instead {
    /** Null for what the target itself does. */
    Object of(String method, Object... arguments);
  }

  private static <T> T proxy(Class<T> type, Object target, Instead instead) {
    InvocationHandler handler =
        (unused, method, given) -> {
          Object[] arguments = given == null ? new Object[0] : given;
          Object result = instead.of(method.getName(), arguments);
          if (result != null) {
            return result;
          }
          try {
            return method.invoke(target, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return type.cast(
        Proxy.newProxyInstance(
            GuardedServer.class.getClassLoader(), new Class<?>[] {type}, handler));
  }
}
