package ecoflow.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** Trusted certificates: those of the Java runtime and those of ECOFLOW_CA_FILE. */
final class Tls {

  private Tls() {}

  /**
   * @throws ConfigException if the file contains no certificate
   */
  static TrustManagerFactory trust(Optional<Path> caFile) throws ConfigException {
    try {
      TrustManagerFactory trust = factory();
      trust.init(caFile.isEmpty() ? null : store(caFile.get()));
      return trust;
    } catch (GeneralSecurityException | IOException e) {
      throw Environment.bad(
          "ECOFLOW_CA_FILE",
          caFile.map(Path::toString).orElse(""),
          "a readable file with PEM certificates");
    }
  }

  static SSLContext context(TrustManagerFactory trust) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Every Java runtime supports TLS", e);
    }
  }

  private static KeyStore store(Path caFile) throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    int entry = 0;
    for (X509Certificate known : runtimeCertificates()) {
      store.setCertificateEntry("runtime-" + entry++, known);
    }
    Collection<? extends Certificate> added;
    try (InputStream file = Files.newInputStream(caFile)) {
      added = CertificateFactory.getInstance("X.509").generateCertificates(file);
    }
    if (added.isEmpty()) {
      throw new GeneralSecurityException("no certificate");
    }
    for (Certificate certificate : added) {
      store.setCertificateEntry("file-" + entry++, certificate);
    }
    return store;
  }

  private static X509Certificate[] runtimeCertificates() throws GeneralSecurityException {
    TrustManagerFactory factory = factory();
    factory.init((KeyStore) null);
    for (TrustManager manager : factory.getTrustManagers()) {
      if (manager instanceof X509TrustManager x509) {
        return x509.getAcceptedIssuers();
      }
    }
    return new X509Certificate[0];
  }

  private static TrustManagerFactory factory() throws GeneralSecurityException {
    return TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
  }
}
