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
 * A Vert.x whose HTTP servers have the guard before them. Camel makes its server of the Vert.x that
 * it finds, and offers no other place: what it knows of TLS lacks client certificates, its own
 * log-in starts after the port is open, it only logs that a port is taken, and it has no option
 * that turns HTTP/2 off.
 */
final class GuardedServer extends VertxWrapper {

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

  /** Calls of a server, but for those that matter to the guards. */
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
}
