package ecoflow.web;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ecoflow.testkit.Certificates;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Requirements for client certificates that do not depend on the issuer. */
class ClientCertificatesTest {

  private static final Certificates AUTHORITY = new Certificates("CA");
  private static final ClientCertificates ANY = new ClientCertificates(Optional.empty(), List.of());

  private static void check(Certificates.Pair... chain) throws CertificateException {
    X509Certificate[] certificates = new X509Certificate[chain.length];
    for (int i = 0; i < chain.length; i++) {
      certificates[i] = chain[i].certificate();
    }
    ANY.checkClientTrusted(certificates, "RSA");
  }

  @Test
  void shortKeysAreRejected() {
    Certificates.Pair tooShort = AUTHORITY.issue("a", "RSA", 2047, "SHA256");
    Certificates.Pair longEnough = AUTHORITY.issue("a", "RSA", 2048, "SHA256");
    assertDoesNotThrow(() -> check(longEnough));
    assertDoesNotThrow(() -> check(AUTHORITY.issue("a")));
    for (Certificates.Pair[] chain :
        new Certificates.Pair[][] {{tooShort}, {longEnough, tooShort}}) {
      assertEquals(
          "a client certificate has an RSA key of less than 2048 bits",
          assertThrows(CertificateException.class, () -> check(chain)).getMessage());
    }
  }

  @Test
  void weakSignaturesAreRejected() {
    Certificates.Pair weak = AUTHORITY.issue("a", "EC", 256, "SHA1");
    for (Certificates.Pair[] chain :
        new Certificates.Pair[][] {{weak}, {AUTHORITY.issue("a"), weak}}) {
      assertEquals(
          "a client certificate is signed with SHA-1 or MD5",
          assertThrows(CertificateException.class, () -> check(chain)).getMessage());
    }
  }
}
