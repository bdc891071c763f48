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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logins in ECOFLOW_STATE_DIR, one file for each account, so that a restart needs no login. A
 * file contains the token and the password of the broker; only its owner can read it. Files are
 * written and deleted by a separate thread, because callers on an event loop must not wait.
 */
final class LoginFiles implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LoginFiles.class);
  private static final Duration MAX_CLOSE = Duration.ofSeconds(2);
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
  private final Predicate<Account> served;
  private final ExecutorService writer;
  private final Lines lines;

  /**
   * @param directory empty to store nothing
   * @param served whether an account has not been removed
   * @param writer runs its tasks in order
   */
  LoginFiles(
      Optional<Path> directory,
      Predicate<Account> served,
      ExecutorService writer,
      LongSupplier nanoClock) {
    this.directory = directory;
    this.served = served;
    this.writer = writer;
    this.lines = new Lines(LOG, nanoClock);
  }

  /** A thread for {@link #LoginFiles}, which ends while it has no task. */
  static ExecutorService writer() {
    ThreadPoolExecutor writer =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "login-files");
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    writer.allowCoreThreadTimeOut(true);
    return writer;
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
    writer.execute(() -> write(account, stored));
  }

  private void write(Account account, Stored stored) {
    if (!served.test(account)) {
      // It was removed during the login.
      return;
    }
    Path file = directory.orElseThrow().resolve(file(account));
    Path next = file.resolveSibling(file(account) + ".new");
    try {
      Files.deleteIfExists(next);
      Files.createFile(next, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
      Files.write(next, new ObjectMapper().writeValueAsBytes(stored));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException | RuntimeException e) {
      warn(account, "write", e);
    }
  }

  /** Deletes the stored login, which EcoFlow has refused or the account no longer needs. */
  void delete(Account account) {
    if (directory.isPresent()) {
      writer.execute(() -> deleteFile(account, directory.get().resolve(file(account))));
    }
  }

  private void deleteFile(Account account, Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      warn(account, "delete", e);
    }
  }

  /** Completes the changes of files, unless the file system does not respond. */
  @Override
  public void close() {
    writer.shutdown();
    try {
      if (!writer.awaitTermination(MAX_CLOSE.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("ECOFLOW_STATE_DIR does not respond: logins may be missing from it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
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
