package ecoflow.web;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The validated content of a web configuration file, without the files that it refers to.
 *
 * @param tls empty for plain HTTP
 * @param headers additional headers of all responses
 * @param users bcrypt hashes by user name; empty if no password is required
 * @param rate empty for no limit
 */
record WebConfig(
    Optional<Tls> tls,
    Map<String, String> headers,
    Map<String, String> users,
    Optional<Rate> rate) {

  /** Omits users and hashes, so that they are never logged. */
  @Override
  public String toString() {
    return "WebConfig[***]";
  }

  /**
   * PEM text, or a file with PEM text.
   *
   * @param field the name of the field, for error messages
   */
  record Pem(String field, Optional<Path> file, String text) {

    /** Omits the text, which can be a private key. */
    @Override
    public String toString() {
      return "Pem[" + field + "]";
    }
  }

  /** Whether the server requests client certificates, and how it checks them. */
  enum ClientAuth {
    NONE,
    REQUEST,
    REQUIRE_ANY,
    VERIFY_IF_GIVEN,
    REQUIRE_AND_VERIFY;

    boolean isRequired() {
      return this == REQUIRE_ANY || this == REQUIRE_AND_VERIFY;
    }

    boolean isVerified() {
      return this == VERIFY_IF_GIVEN || this == REQUIRE_AND_VERIFY;
    }
  }

  /**
   * @param clientCa empty for the certificate authorities of the Java runtime
   * @param allowedSans the accepted subject alternative names of clients; empty for any
   * @param protocols in Java's notation
   * @param ciphers in Java's notation; empty for the defaults of the Java runtime
   */
  record Tls(
      Pem certificate,
      Pem key,
      ClientAuth clientAuth,
      Optional<Pem> clientCa,
      List<String> allowedSans,
      List<String> protocols,
      List<String> ciphers) {

    /**
     * Suites with CBC, which are vulnerable to padding oracle attacks in faulty implementations.
     */
    List<String> weakCiphers() {
      return ciphers.stream().filter(cipher -> cipher.contains("_CBC_")).toList();
    }

    List<Path> files() {
      return Stream.of(Optional.of(certificate), Optional.of(key), clientCa)
          .flatMap(Optional::stream)
          .flatMap(pem -> pem.file().stream())
          .toList();
    }
  }

  /**
   * @param interval the average interval between two requests
   * @param burst the maximum number of requests at once
   */
  record Rate(Duration interval, int burst) {}
}
