package ecoflow.web;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a web.yml says, checked, with the contents of the files that it names still unread.
 *
 * @param tls empty for plain HTTP
 * @param headers of all answers
 * @param users bcrypt hashes by name; empty if no password is asked for
 * @param rate empty for no limit
 */
record WebConfig(
    Optional<Tls> tls,
    Map<String, String> headers,
    Map<String, String> users,
    Optional<Rate> rate) {

  /** Names users and hashes, which no log needs. */
  @Override
  public String toString() {
    return "WebConfig[***]";
  }

  /**
   * PEM text, or the file that has it.
   *
   * @param field that it comes from
   */
  record Pem(String field, Optional<Path> file, String text) {

    /** The text can be a private key. */
    @Override
    public String toString() {
      return "Pem[" + field + "]";
    }
  }

  /** Whether clients are asked for a certificate, and what it must be. */
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
   * @param allowedSans subject alternative names of clients; empty for any
   * @param protocols as Java names them
   * @param ciphers as Java names them; empty for those of the Java runtime
   */
  record Tls(
      Pem certificate,
      Pem key,
      ClientAuth clientAuth,
      Optional<Pem> clientCa,
      List<String> allowedSans,
      List<String> protocols,
      List<String> ciphers) {

    /** Suites with CBC, which are open to padding oracles if an implementation has a flaw. */
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
   * @param interval between two requests
   * @param burst how many may come at once
   */
  record Rate(Duration interval, int burst) {}
}
