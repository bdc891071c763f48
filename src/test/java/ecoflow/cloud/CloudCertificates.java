package ecoflow.cloud;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/** Certificates that are created for one run; their keys are never stored. */
final class CloudCertificates {

  /** A private key with its certificate. */
  record Identity(PrivateKey key, X509Certificate certificate) {

    /** In PKCS#8, which all clients can read. */
    String keyPem() {
      return pem(new PemObject("PRIVATE KEY", key.getEncoded()));
    }

    String certificatePem() {
      return pem(certificate);
    }
  }

  private static final AtomicLong SERIAL_NUMBERS = new AtomicLong(1);

  private final Identity trusted = authority("Simulated Cloud CA");
  private final Identity unknown = authority("Unknown CA");

  String authorityPem() {
    return trusted.certificatePem();
  }

  /** Trusts certificates of the known CA. */
  SSLContext client() {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setCertificateEntry("ca", trusted.certificate());
      TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Cannot set up TLS", e);
    }
  }

  private static String pem(Object content) {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter pem = new JcaPEMWriter(text)) {
      pem.writeObject(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  Identity server(ServerCertificate kind) {
    return switch (kind) {
      case TRUSTED -> server(trusted, loopbackNames());
      case UNTRUSTED -> server(unknown, loopbackNames());
      case WRONG_NAME ->
          server(trusted, new GeneralNames(new GeneralName(GeneralName.dNSName, "other.example")));
    };
  }

  private static GeneralNames loopbackNames() {
    return new GeneralNames(
        new GeneralName[] {
          new GeneralName(GeneralName.dNSName, "localhost"),
          new GeneralName(GeneralName.iPAddress, "127.0.0.1")
        });
  }

  private static Identity authority(String name) {
    KeyPair keys = newKeys();
    X500Name subject = new X500Name("CN=" + name);
    return sign(
        subject,
        keys,
        subject,
        keys.getPrivate(),
        certificate -> {
          certificate.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
          certificate.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign));
        });
  }

  private static Identity server(Identity authority, GeneralNames names) {
    X500Name issuer = new X500Name(authority.certificate().getSubjectX500Principal().getName());
    return sign(
        new X500Name("CN=Simulated Cloud"),
        newKeys(),
        issuer,
        authority.key(),
        certificate -> certificate.addExtension(Extension.subjectAlternativeName, false, names));
  }

  private static Identity sign(
      X500Name subject,
      KeyPair keys,
      X500Name issuer,
      PrivateKey issuerKey,
      Extensions extensions) {
    Instant now = Instant.now();
    try {
      X509v3CertificateBuilder certificate =
          new JcaX509v3CertificateBuilder(
              issuer,
              BigInteger.valueOf(SERIAL_NUMBERS.getAndIncrement()),
              Date.from(now.minus(Duration.ofHours(1))),
              Date.from(now.plus(Duration.ofDays(30))),
              subject,
              keys.getPublic());
      extensions.addTo(certificate);
      return new Identity(
          keys.getPrivate(),
          new JcaX509CertificateConverter()
              .getCertificate(
                  certificate.build(
                      new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKey))));
    } catch (IOException | OperatorCreationException | GeneralSecurityException e) {
      throw new IllegalStateException("Cannot create a certificate for " + subject, e);
    }
  }

  private static KeyPair newKeys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Cannot create a key pair", e);
    }
  }

  private interface Extensions {
    void addTo(X509v3CertificateBuilder certificate) throws IOException;
  }
}
