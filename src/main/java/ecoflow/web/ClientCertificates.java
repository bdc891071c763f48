package ecoflow.web;

import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Checks client certificates against the configured certificate authority and subject alternative
 * names.
 */
final class ClientCertificates extends X509ExtendedTrustManager {

  private static final int MIN_RSA_BITS = 2048;
  private static final Pattern WEAK_HASH = Pattern.compile("^(?:SHA-?1|MD[245])with");
  private static final int TYPE_EMAIL = 1;
  private static final int TYPE_DNS = 2;
  private static final int TYPE_URI = 6;
  private static final int TYPE_IP = 7;

  private final Optional<X509ExtendedTrustManager> authority;
  private final List<String> allowedSans;

  /**
   * @param authority empty to accept certificates of any authority
   * @param allowedSans empty to accept any name
   */
  ClientCertificates(Optional<X509ExtendedTrustManager> authority, List<String> allowedSans) {
    this.authority = authority;
    this.allowedSans = allowedSans;
  }

  private interface Check {
    void by(X509ExtendedTrustManager authority) throws CertificateException;
  }

  private void check(X509Certificate[] chain, Check check) throws CertificateException {
    for (X509Certificate certificate : chain) {
      checkStrength(certificate);
    }
    if (authority.isPresent()) {
      check.by(authority.get());
    }
    if (!allowedSans.isEmpty() && !hasAllowedName(chain[0])) {
      throw new CertificateException(
          "no subject alternative name of the client certificate is allowed");
    }
  }

  private static void checkStrength(X509Certificate certificate) throws CertificateException {
    if (certificate.getPublicKey() instanceof RSAKey key
        && key.getModulus().bitLength() < MIN_RSA_BITS) {
      throw new CertificateException("a client certificate has an RSA key of less than 2048 bits");
    }
    boolean isRoot =
        certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
    // The signature of a root certificate is not part of the trust decision.
    if (!isRoot && WEAK_HASH.matcher(certificate.getSigAlgName()).find()) {
      throw new CertificateException("a client certificate is signed with SHA-1 or MD5");
    }
  }

  private boolean hasAllowedName(X509Certificate certificate) throws CertificateParsingException {
    Collection<List<?>> names = certificate.getSubjectAlternativeNames();
    if (names != null) {
      for (List<?> name : names) {
        int nameType = (Integer) name.get(0);
        if ((nameType == TYPE_EMAIL || nameType == TYPE_DNS || nameType == TYPE_URI)
            && allowedSans.contains(name.get(1))) {
          return true;
        }
        if (nameType == TYPE_IP
            && allowedSans.stream().anyMatch(san -> isSameAddress(san, (String) name.get(1)))) {
          return true;
        }
      }
    }
    return false;
  }

  /** Compares IPv6 addresses by value, because they have several notations. */
  private static boolean isSameAddress(String san, String address) {
    if (san.equals(address)) {
      return true;
    }
    try {
      // Compare only literal addresses, to avoid DNS lookups.
      return san.matches("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
          && InetAddress.getByName(san).equals(InetAddress.getByName(address));
    } catch (UnknownHostException e) {
      return false;
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain, by -> by.checkClientTrusted(chain, type));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    check(chain, by -> by.checkClientTrusted(chain, type, socket));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain, by -> by.checkClientTrusted(chain, type, engine));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    throw new CertificateException("server certificates are not supported");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    throw new CertificateException("server certificates are not supported");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    throw new CertificateException("server certificates are not supported");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return authority
        .map(X509ExtendedTrustManager::getAcceptedIssuers)
        .orElse(new X509Certificate[0]);
  }
}
