package ecoflow.testkit;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/** A certificate authority for one test, with PEM files for servers and clients. */
public final class Certificates {

  private static final AtomicLong NUMBERS = new AtomicLong(1000);
  private static final char[] PASSWORD = "pem".toCharArray();

  private final String name;
  private final KeyPair keys;
  private final X509Certificate authority;

  public Certificates(String name) {
    this.name = name;
    this.keys = newKeys();
    this.authority = sign(name, keys, new GeneralNames(dns("ca")), true);
  }

  /** A certificate with its key. */
  public record Pair(X509Certificate certificate, KeyPair keys) {

    public void writeTo(Path certificateFile, Path keyFile) {
      write(certificateFile, certificate);
      write(keyFile, new PemObject("PRIVATE KEY", keys.getPrivate().getEncoded()));
    }
  }

  /** Issues a certificate for a server at localhost, or for a client with that name. */
  public Pair issue(String dnsName) {
    KeyPair own = newKeys();
    return new Pair(sign(dnsName, own, new GeneralNames(dns(dnsName)), false), own);
  }

  /**
   * Issues a certificate with a certain key and signature.
   *
   * @param key such as RSA
   * @param bits of the key
   * @param hash of the signature, such as SHA1
   */
  public Pair issue(String dnsName, String key, int bits, String hash) {
    KeyPair own = newKeys(key, bits);
    return new Pair(sign(dnsName, own, new GeneralNames(dns(dnsName)), false, hash), own);
  }

  public void writeAuthority(Path file) {
    write(file, authority);
  }

  /** TLS for a client that trusts this authority and has no certificate. */
  public SSLContext client() {
    return context(null);
  }

  public SSLContext client(Pair own) {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setKeyEntry(
          "own", own.keys().getPrivate(), PASSWORD, new Certificate[] {own.certificate()});
      return context(store);
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private SSLContext context(KeyStore own) {
    try {
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("ca", authority);
      TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(trusted);
      KeyManagerFactory key = KeyManagerFactory.getInstance("PKIX");
      key.init(own, PASSWORD);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(key.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static GeneralName dns(String name) {
    return new GeneralName(GeneralName.dNSName, name);
  }

  private X509Certificate sign(String subject, KeyPair own, GeneralNames names, boolean isCa) {
    return sign(subject, own, names, isCa, "SHA256");
  }

  private X509Certificate sign(
      String subject, KeyPair own, GeneralNames names, boolean isCa, String hash) {
    Instant now = Instant.now();
    try {
      X509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              new X500Name("CN=" + name),
              BigInteger.valueOf(NUMBERS.getAndIncrement()),
              Date.from(now.minus(Duration.ofHours(1))),
              Date.from(now.plus(Duration.ofDays(1))),
              new X500Name("CN=" + subject),
              own.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(isCa));
      builder.addExtension(Extension.subjectAlternativeName, false, names);
      byte[] encoded =
          builder
              .build(new JcaContentSignerBuilder(hash + "withECDSA").build(keys.getPrivate()))
              .getEncoded();
      return (X509Certificate)
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(encoded));
    } catch (IOException | OperatorCreationException | GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyPair newKeys() {
    return newKeys("EC", 256);
  }

  private static KeyPair newKeys(String algorithm, int bits) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      generator.initialize(bits);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void write(Path file, Object content) {
    StringWriter text = new StringWriter();
    try {
      try (JcaPEMWriter pem = new JcaPEMWriter(text)) {
        pem.writeObject(content);
      }
      Files.writeString(file, text.toString(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
