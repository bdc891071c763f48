package ecoflow.mqtt;

import io.netty.handler.ssl.SslContext;
import io.vertx.core.net.OpenSSLEngineOptions;
import io.vertx.core.spi.tls.SslContextFactory;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;

/**
 * One TLS context for all connections: Vert.x creates one for each client, which takes half of the
 * memory of a connection, and sessions are resumed only within a context.
 */
final class SharedTls extends OpenSSLEngineOptions {

  private static final class Holder {
    private SslContext context;

    synchronized SslContext get(SslContextFactory factory) throws SSLException {
      if (context == null) {
        context = factory.create();
      }
      return context;
    }
  }

  private final Holder shared;

  SharedTls() {
    this(new Holder());
  }

  private SharedTls(Holder shared) {
    this.shared = shared;
  }

  @Override
  public OpenSSLEngineOptions copy() {
    return new SharedTls(shared);
  }

  @Override
  public SslContextFactory sslContextFactory() {
    return new Factory(super.sslContextFactory(), shared);
  }

  private record Factory(SslContextFactory own, Holder shared) implements SslContextFactory {

    @Override
    public SslContextFactory useAlpn(boolean useAlpn) {
      own.useAlpn(useAlpn);
      return this;
    }

    @Override
    public SslContextFactory forClient(boolean forClient) {
      own.forClient(forClient);
      return this;
    }

    @Override
    public SslContextFactory keyMananagerFactory(KeyManagerFactory keys) {
      own.keyMananagerFactory(keys);
      return this;
    }

    @Override
    public SslContextFactory trustManagerFactory(TrustManagerFactory trust) {
      own.trustManagerFactory(trust);
      return this;
    }

    @Override
    public SslContextFactory enabledCipherSuites(Set<String> suites) {
      own.enabledCipherSuites(suites);
      return this;
    }

    @Override
    public SslContextFactory applicationProtocols(List<String> protocols) {
      own.applicationProtocols(protocols);
      return this;
    }

    @Override
    public SslContext create() throws SSLException {
      return shared.get(own);
    }
  }
}
