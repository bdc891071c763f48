package ecoflow.web;

import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.impl.VertxInternal;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletionException;

/**
 * A Vert.x whose HTTP servers have the guard before them. Camel makes its server of the Vert.x that
 * it finds, and offers no other place: what it knows of TLS lacks client certificates, its own
 * log-in starts after the port is open, and it only logs that a port is taken.
 */
final class GuardedServer {

  /** What is done to a server on its way to Camel. */
  interface Guards {

    /** Before the server is made. */
    void configure(HttpServerOptions options);

    void made(HttpServer server, HttpServerOptions options);

    /**
     * @param next what answers a request that may pass
     */
    Handler<HttpServerRequest> before(Handler<HttpServerRequest> next);

    void listens(String host);

    void failed(Throwable cause);
  }

  private GuardedServer() {}

  static Vertx of(Vertx vertx, Guards guards) {
    return proxy(
        VertxInternal.class,
        vertx,
        (self, method, arguments) -> {
          if (!method.equals("createHttpServer")) {
            return null;
          }
          HttpServerOptions options =
              arguments.length > 0 ? (HttpServerOptions) arguments[0] : new HttpServerOptions();
          guards.configure(options);
          HttpServer server = vertx.createHttpServer(options);
          guards.made(server, options);
          return guarded(server, guards);
        });
  }

  @SuppressWarnings("unchecked")
  private static HttpServer guarded(HttpServer server, Guards guards) {
    return proxy(
        HttpServer.class,
        server,
        (self, method, arguments) -> {
          if (method.equals("requestHandler") && arguments.length == 1) {
            server.requestHandler(guards.before((Handler<HttpServerRequest>) arguments[0]));
            return self;
          }
          if (method.equals("listen") && arguments.length == 3) {
            listen(server, (Integer) arguments[0], (String) arguments[1], guards);
            ((Handler<AsyncResult<HttpServer>>) arguments[2])
                .handle(Future.succeededFuture(server));
            return self;
          }
          return null;
        });
  }

  /** Waits, in a thread of Camel's: the start fails if the port cannot be used. */
  private static void listen(HttpServer server, int port, String host, Guards guards) {
    try {
      guards.listens(host);
      server.listen(port, host).toCompletionStage().toCompletableFuture().join();
    } catch (CompletionException e) {
      guards.failed(e.getCause());
      throw e;
    }
  }

  private interface Instead {
    /** Null for what the target itself does. */
    Object of(Object self, String method, Object... arguments);
  }

  private static <T> T proxy(Class<T> type, Object target, Instead instead) {
    InvocationHandler handler =
        (self, method, given) -> {
          Object[] arguments = given == null ? new Object[0] : given;
          Object result = instead.of(self, method.getName(), arguments);
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
