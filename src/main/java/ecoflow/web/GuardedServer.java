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
 * A Vert.x instance whose HTTP servers pass each request to the guard first. Camel creates its
 * server with the Vert.x instance of the registry, which is the only extension point. Camel's own
 * options are not sufficient: TLS without client certificates, authentication that starts after the
 * port is open, only a log line if the port is in use, and no option to disable HTTP/2.
 */
final class GuardedServer extends VertxWrapper {

  /** Customises a server before Camel uses it. */
  interface Customizer {

    /** Called before the server is created. */
    void configure(HttpServerOptions options);

    void serverCreated(HttpServer server, HttpServerOptions options);

    /**
     * @param next the handler for accepted requests
     */
    Handler<HttpServerRequest> before(Handler<HttpServerRequest> next);

    void beforeListen(String host);

    void listenFailed(Throwable cause);
  }

  private final Customizer customizer;

  GuardedServer(Vertx vertx, Customizer customizer) {
    super((VertxInternal) vertx);
    this.customizer = customizer;
  }

  @Override
  public HttpServer createHttpServer(HttpServerOptions given) {
    HttpServerOptions options = new HttpServerOptions(given);
    customizer.configure(options);
    HttpServer server = super.createHttpServer(options);
    customizer.serverCreated(server, options);
    return (HttpServer)
        Proxy.newProxyInstance(
            GuardedServer.class.getClassLoader(),
            new Class<?>[] {HttpServer.class},
            new GuardedCalls(server, customizer));
  }

  @Override
  public HttpServer createHttpServer() {
    return createHttpServer(new HttpServerOptions());
  }

  /** Forwards calls to a server, except for those that the customizer changes. */
  private record GuardedCalls(HttpServer server, Customizer customizer)
      implements InvocationHandler {

    @Override
    @SuppressWarnings("unchecked")
    public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
      int count = arguments == null ? 0 : arguments.length;
      if (method.getName().equals("requestHandler") && count == 1) {
        server.requestHandler(customizer.before((Handler<HttpServerRequest>) arguments[0]));
        return self;
      }
      if (method.getName().equals("listen") && count == 3) {
        listen(server, (Integer) arguments[0], (String) arguments[1], customizer);
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
   * Waits for the result, so that the startup fails if the port cannot be used. Called on a thread
   * of Camel.
   */
  private static void listen(HttpServer server, int port, String host, Customizer customizer) {
    try {
      customizer.beforeListen(host);
      server.listen(port, host).toCompletionStage().toCompletableFuture().join();
    } catch (CompletionException e) {
      customizer.listenFailed(e.getCause());
      throw e;
    }
  }
}
