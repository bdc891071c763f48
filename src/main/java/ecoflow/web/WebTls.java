package ecoflow.web;

import ecoflow.text.Lines;
import ecoflow.web.WebConfig.ClientAuth;
import ecoflow.web.WebConfig.Pem;
import ecoflow.web.WebConfig.Tls;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.SSLOptions;
import io.vertx.core.net.TrustOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509KeyManager;

/** The TLS configuration of the server, read from a {@link WebConfig} and its files. */
final class WebTls {

  private static final Pattern AEAD_CIPHER =
      Pattern.compile("TLS_ECDHE_(?:ECDSA|RSA)_WITH_(?:AES_\\d+_GCM|CHACHA20_POLY1305)_SHA\\d+");

  private final Tls tls;
  private final X509KeyManager key;
  private final Optional<TrustManager> clientTrust;

  /** Java reads this property before the first handshake of a server. */
  private static final String NO_RENEGOTIATION = "jdk.tls.rejectClientInitiatedRenegotiation";

  private WebTls(Tls tls) throws WebConfigException {
    if (System.getProperty(NO_RENEGOTIATION) == null) {
      System.setProperty(NO_RENEGOTIATION, "true");
    }
    this.tls = tls;
    this.key = key(tls);
    this.clientTrust = clientTrust(tls);
  }

  /**
   * @throws WebConfigException if a file cannot be read, or the key does not match the certificate
   */
  static WebTls load(Tls tls) throws WebConfigException {
    return new WebTls(tls);
  }

  /** Cannot change while the server is running. */
  ClientAuth clientAuth() {
    return tls.clientAuth();
  }

  void configure(HttpServerOptions options) {
    options.setSsl(true);
    options.setClientAuth(
        switch (tls.clientAuth()) {
          case NONE -> io.vertx.core.http.ClientAuth.NONE;
          case REQUEST, VERIFY_IF_GIVEN -> io.vertx.core.http.ClientAuth.REQUEST;
          case REQUIRE_ANY, REQUIRE_AND_VERIFY -> io.vertx.core.http.ClientAuth.REQUIRED;
        });
    options.setKeyCertOptions(KeyCertOptions.wrap(key));
    clientTrust.ifPresent(trust -> options.setTrustOptions(TrustOptions.wrap(trust)));
    options.setEnabledSecureTransportProtocols(new LinkedHashSet<>(tls.protocols()));
    ciphers().forEach(options::addEnabledCipherSuite);
  }

  /** The options to update a running server. */
  SSLOptions options() {
    SSLOptions options = new SSLOptions();
    options.setKeyCertOptions(KeyCertOptions.wrap(key));
    clientTrust.ifPresent(trust -> options.setTrustOptions(TrustOptions.wrap(trust)));
    options.setEnabledSecureTransportProtocols(new LinkedHashSet<>(tls.protocols()));
    ciphers().forEach(options::addEnabledCipherSuite);
    return options;
  }

  /**
   * The configured suites, or Java's default suites with forward secrecy and authenticated
   * encryption.
   */
  private List<String> ciphers() {
    if (!tls.ciphers().isEmpty()) {
      return tls.ciphers();
    }
    try {
      return Stream.of(SSLContext.getDefault().getDefaultSSLParameters().getCipherSuites())
          // Names of TLS 1.3 suites do not contain a key exchange.
          .filter(name -> !name.contains("_WITH_") || AEAD_CIPHER.matcher(name).matches())
          .toList();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java runtime supports TLS", e);
    }
  }

  private static X509KeyManager key(Tls tls) throws WebConfigException {
    try {
      PemKeyCertOptions pem =
          new PemKeyCertOptions()
              .setCertValue(Buffer.buffer(text(tls.certificate())))
              .setKeyValue(Buffer.buffer(text(tls.key())));
      // No Vert.x instance, which is needed only to read files.
      for (KeyManager manager : pem.getKeyManagerFactory(null).getKeyManagers()) {
        if (manager instanceof X509KeyManager x509) {
          checkPair(x509);
          return x509;
        }
      }
      throw new WebConfigException("no certificate found");
    } catch (WebConfigException e) {
      throw e;
    } catch (Exception e) {
      throw new WebConfigException(
          "the certificate or the key is not valid PEM (" + Lines.parserMessage(e) + ")");
    }
  }

  /**
   * Rejects a key that does not match the certificate. The server would start with it, but every
   * handshake would fail.
   */
  private static void checkPair(X509KeyManager manager)
      throws GeneralSecurityException, WebConfigException {
    for (String type : new String[] {"RSA", "EC", "EdDSA", "Ed25519", "DSA"}) {
      String[] aliases = manager.getServerAliases(type, null);
      if (aliases != null && aliases.length > 0) {
        PrivateKey secret = manager.getPrivateKey(aliases[0]);
        X509Certificate certificate = manager.getCertificateChain(aliases[0])[0];
        if (!isPair(secret, certificate)) {
          throw new WebConfigException("the key does not match the certificate");
        }
        return;
      }
    }
    throw new WebConfigException("the key does not match the certificate");
  }

  private static boolean isPair(PrivateKey secret, X509Certificate certificate) {
    String algorithm =
        switch (secret.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          case "DSA" -> "SHA256withDSA";
          default -> secret.getAlgorithm();
        };
    try {
      byte[] data = {1, 2, 3};
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(secret);
      signature.update(data);
      byte[] signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update(data);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static Optional<TrustManager> clientTrust(Tls tls) throws WebConfigException {
    if (tls.clientAuth() == ClientAuth.NONE) {
      return Optional.empty();
    }
    Optional<X509ExtendedTrustManager> authority = Optional.empty();
    if (tls.clientAuth().isVerified()) {
      authority = Optional.of(authority(tls.clientCa()));
    }
    return Optional.of(new ClientCertificates(authority, tls.allowedSans()));
  }

  private static X509ExtendedTrustManager authority(Optional<Pem> pem) throws WebConfigException {
    try {
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(pem.isEmpty() ? null : store(pem.get()));
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509ExtendedTrustManager x509) {
          return x509;
        }
      }
      throw new IllegalStateException("every Java runtime has a trust manager");
    } catch (GeneralSecurityException | IOException e) {
      throw new WebConfigException("client_ca_file contains no PEM certificate");
    }
  }

  private static KeyStore store(Pem pem)
      throws GeneralSecurityException, IOException, WebConfigException {
    byte[] text = text(pem).getBytes(StandardCharsets.UTF_8);
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    for (Certificate certificate :
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(text))) {
      store.setCertificateEntry("client-ca-" + store.size(), certificate);
    }
    if (store.size() == 0) {
      throw new GeneralSecurityException("no certificate");
    }
    return store;
  }

  private static String text(Pem pem) throws WebConfigException {
    if (pem.file().isEmpty()) {
      return pem.text();
    }
    WebConfigFile.checkFile(pem.file().get());
    try {
      return Files.readString(pem.file().get(), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new WebConfigException(
          pem.field()
              + ": cannot read "
              + Lines.oneLine(pem.file().get().toString())
              + ": "
              + Lines.unreadable(pem.file().get().toString()));
    }
  }
}
