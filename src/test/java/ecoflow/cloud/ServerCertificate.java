package ecoflow.cloud;

/** The certificate that a server of the simulated cloud presents. */
public enum ServerCertificate {
  /** Signed by the cloud's CA, for localhost and 127.0.0.1. */
  TRUSTED,
  /** Signed by the cloud's CA, for another host. */
  WRONG_NAME,
  /** For localhost and 127.0.0.1, signed by a CA that is not in the CA file. */
  UNTRUSTED
}
