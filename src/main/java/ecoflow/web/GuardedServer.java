package ecoflow.web;

import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.VertxWrapper;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletionException;

/**
 * A Vert.x whose HTTP servers pass each request to the guard first. Camel creates its server from
 * the Vert.x in the registry, and has no other extension point. Camel's own options are not
 * sufficient: its TLS lacks client certificates, its authentication starts after the port is open,
 * it only logs that a port is in use, and it cannot turn HTTP/2 off.
 */
final class GuardedServer extends VertxWrapper {

  /** Customises a server before Camel uses it. */
  interface Guards {

    /** Called before the server is created. */
    void configure(HttpServerOptions options);

    void made(HttpServer server, HttpServerOptions options);

    /**
     * @param next the handler for accepted requests
     */
    Handler<HttpServerRequest> before(Handler<HttpServerRequest> next);

    void listens(String host);

    void failed(Throwable cause);
  }

  private final Guards guards;

  GuardedServer(Vertx vertx, Guards guards) {
    super((VertxInternal) vertx);
    this.guards = guards;
  }

  @Override
  public HttpServer createHttpServer(HttpServerOptions given) {
    HttpServerOptions options = new HttpServerOptions(given);
    guards.configure(options);
    HttpServer server = super.createHttpServer(options);
    guards.made(server, options);
    return (HttpServer)
        Proxy.newProxyInstance(
            GuardedServer.class.getClassLoader(),
            new Class<?>[] {HttpServer.class},
            new GuardedCalls(server, guards));
  }

  @Override
  public HttpServer createHttpServer() {
    return createHttpServer(new HttpServerOptions());
  }

  /** Forwards calls to a server, except for those that the guards change. */
  private record GuardedCalls(HttpServer server, Guards guards) implements InvocationHandler {

    @Override
    @SuppressWarnings("unchecked")
    public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
      int count = arguments == null ? 0 : arguments.length;
      if (method.getName().equals("requestHandler") && count == 1) {
        server.requestHandler(guards.before((Handler<HttpServerRequest>) arguments[0]));
        return self;
      }
      if (method.getName().equals("listen") && count == 3) {
        listen(server, (Integer) arguments[0], (String) arguments[1], guards);
        ((Handler<AsyncResult<HttpServer>>) arguments[2]).handle(Future.succeededFuture(server));
        return self;
      }
      try {
        return method.invoke(server, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }
  }

  /**
   * Waits for the result, on one of Camel's threads, so that the startup fails if the port cannot
   * be used.
   */
  private static void listen(HttpServer server, int port, String host, Guards guards) {
    try {
      guards.listens(host);
      server.listen(port, host).toCompletionStage().toCompletableFuture().join();
    } catch (CompletionException e) {
      guards.failed(e.getCause());
      throw e;
    }
  }
}
