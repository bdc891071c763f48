package ecoflow.api;

import ecoflow.config.ProxySettings;
import ecoflow.text.Lines;
import ecoflow.text.ProxyException;
import java.io.IOException;
import javax.net.ssl.SSLException;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.impl.ChainElement;
import org.apache.hc.client5.http.impl.auth.CredentialsProviderBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.routing.DefaultRoutePlanner;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.protocol.HttpContext;

/**
 * Sends HTTPS calls through the forward proxy. A separate class, so that the classes that it uses
 * are loaded only if a proxy is configured.
 */
final class ProxyRoute implements HttpClientConfigurer {

  private static final int HTTPS_PORT = 443;

  private final ProxySettings proxy;
  private final HttpHost address;

  ProxyRoute(ProxySettings proxy) {
    this.proxy = proxy;
    this.address = new HttpHost("http", proxy.host(), proxy.port());
  }

  @Override
  public void configureHttpClient(HttpClientBuilder builder) {
    builder.setRoutePlanner(
        new DefaultRoutePlanner(null) {
          @Override
          protected HttpHost determineProxy(HttpHost target, HttpContext context) {
            return proxy.isFor(target.getHostName(), port(target)) ? address : null;
          }
        });
    proxy
        .login()
        .ifPresent(
            login ->
                builder.setDefaultCredentialsProvider(
                    CredentialsProviderBuilder.create()
                        .add(address, login.id(), login.secret().toCharArray())
                        .build()));
    builder.addExecInterceptorBefore(ChainElement.CONNECT.name(), "proxy", this::call);
  }

  private static int port(HttpHost target) {
    return target.getPort() < 0 ? HTTPS_PORT : target.getPort();
  }

  /**
   * Converts the response of a proxy that refuses a connection to an exception. The client returns
   * it like a response of the target, so that a 403 from the proxy would pause all calls.
   */
  private ClassicHttpResponse call(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    if (scope.route.getProxyHost() == null) {
      return chain.proceed(request, scope);
    }
    ClassicHttpResponse response;
    try {
      response = chain.proceed(request, scope);
    } catch (SSLException e) {
      // The target failed, because the connection to the proxy itself does not use TLS.
      throw e;
    } catch (IOException | HttpException e) {
      if (isTargetReached(scope)) {
        throw e;
      }
      String reason =
          e instanceof NoHttpResponseException || e instanceof HttpException
              ? ProxyException.NO_ANSWER
              : Lines.describe(e);
      throw new IOException(ProxyException.unreachable(proxy.label(), reason));
    }
    if (isTargetReached(scope)) {
      return response;
    }
    int status = response.getCode();
    response.close();
    HttpHost target = scope.route.getTargetHost();
    throw new IOException(
        ProxyException.refused(
            proxy.label(),
            proxy.login().isPresent(),
            target.getHostName() + ":" + port(target),
            status));
  }

  /** The client stores the TLS session when the connection to the target is complete. */
  private static boolean isTargetReached(ExecChain.Scope scope) {
    return scope.clientContext.getSSLSession() != null;
  }
}
