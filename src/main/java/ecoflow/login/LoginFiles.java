package ecoflow.login;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.account.Account;
import ecoflow.config.Settings;
import ecoflow.mqtt.BrokerLogin;
import ecoflow.text.Lines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logins in ECOFLOW_STATE_DIR, one file for each account, so that a restart needs no login. A
 * file contains the token and the password of the broker; only its owner can read it.
 */
final class LoginFiles {

  private static final Logger LOG = LoggerFactory.getLogger(LoginFiles.class);
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  /**
   * The content of a file.
   *
   * @param key a hash of the credentials and hosts for which the login is valid
   * @param since time of the login in milliseconds since 1970
   * @param token empty for developer keys
   */
  record Stored(
      String key,
      long since,
      String token,
      String userId,
      String host,
      int port,
      String user,
      String password) {}

  /**
   * A login.
   *
   * @param age time since the login
   * @param token empty for developer keys
   * @param broker without a client ID and a lifetime, which are not stored
   */
  record Saved(Duration age, String token, BrokerLogin broker) {}

  private final Optional<Path> directory;
  private final Lines lines;

  /**
   * @param directory empty to store nothing
   */
  LoginFiles(Optional<Path> directory, LongSupplier nanoClock) {
    this.directory = directory;
    this.lines = new Lines(LOG, nanoClock);
  }

  private static String file(Account account) {
    return account.name().isEmpty() ? "login.json" : "login-" + account.name() + ".json";
  }

  /** The stored login of the account; empty if its settings have changed since. */
  Optional<Saved> load(Account account) {
    if (directory.isEmpty()) {
      return Optional.empty();
    }
    try {
      Path file = directory.get().resolve(file(account));
      Stored stored = new ObjectMapper().readValue(Files.readAllBytes(file), Stored.class);
      long age = System.currentTimeMillis() - stored.since();
      if (!stored.key().equals(key(account)) || age < 0) {
        return Optional.empty();
      }
      BrokerLogin broker =
          new BrokerLogin(
              stored.host(),
              stored.port(),
              stored.user(),
              stored.password(),
              stored.userId(),
              "",
              Duration.ZERO);
      return Optional.of(new Saved(Duration.ofMillis(age), stored.token(), broker));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | RuntimeException e) {
      warn(account, "read", e);
      return Optional.empty();
    }
  }

  /**
   * Stores a login.
   *
   * @param token empty for developer keys
   */
  void save(Account account, String token, Duration age, BrokerLogin broker) {
    if (directory.isEmpty()) {
      return;
    }
    Stored stored =
        new Stored(
            key(account),
            System.currentTimeMillis() - age.toMillis(),
            token,
            broker.userId(),
            broker.host(),
            broker.port(),
            broker.user(),
            broker.password());
    Path file = directory.get().resolve(file(account));
    Path next = directory.get().resolve(file(account) + ".new");
    try {
      Files.deleteIfExists(next);
      Files.createFile(next, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
      Files.write(next, new ObjectMapper().writeValueAsBytes(stored));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException | RuntimeException e) {
      warn(account, "write", e);
    }
  }

  /** Deletes the stored login, which EcoFlow has refused. */
  void delete(Account account) {
    if (directory.isPresent()) {
      try {
        Files.deleteIfExists(directory.get().resolve(file(account)));
      } catch (IOException e) {
        warn(account, "delete", e);
      }
    }
  }

  private void warn(Account account, String action, Exception failure) {
    // The message of the JSON parser can contain a secret.
    String reason =
        failure instanceof JsonProcessingException ? "not a valid file" : Lines.root(failure);
    lines.warn(
        action,
        account.prefix()
            + "Cannot "
            + action
            + " the login in ECOFLOW_STATE_DIR ("
            + file(account)
            + "): "
            + reason
            + "; a restart needs a new login");
  }

  private static String key(Account account) {
    Settings settings = account.settings();
    String text =
        String.join(
            "\n",
            settings.mode().label(),
            settings.credentials().id(),
            settings.credentials().secret(),
            String.join(",", settings.http().hosts()));
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }
}
