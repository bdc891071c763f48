package ecoflow.passwords;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.mindrot.jbcrypt.BCrypt;

/**
 * The users with their bcrypt hashes. Bcrypt is slow by design, so results are cached by a keyed
 * digest of the password.
 */
public final class Passwords {

  private static final int MAX_CACHED_WRONG = 100;
  private static final String DIGEST = "HmacSHA256";
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Map<String, String> hashes;
  private final BiPredicate<String, String> bcrypt;
  private final String decoyHash;
  private final SecretKeySpec digestKey;
  private final Map<String, byte[]> correct = new ConcurrentHashMap<>();

  /** A separate cache, so that guesses do not evict correct passwords. */
  private final Map<String, Boolean> wrong =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > MAX_CACHED_WRONG;
        }
      };

  /** The cached result of a check. */
  public enum Known {
    CORRECT,
    WRONG,
    UNKNOWN
  }

  /**
   * @param hashes bcrypt hashes by user name, not empty
   */
  public Passwords(Map<String, String> hashes) {
    this(hashes, BCrypt::checkpw);
  }

  /**
   * @param bcrypt whether a password matches a hash
   */
  Passwords(Map<String, String> hashes, BiPredicate<String, String> bcrypt) {
    this(hashes, bcrypt, newKey());
  }

  private Passwords(
      Map<String, String> hashes, BiPredicate<String, String> bcrypt, SecretKeySpec digestKey) {
    this.hashes = hashes;
    this.bcrypt = bcrypt;
    // The check of an unknown user must take as long as the check of an existing user.
    this.decoyHash =
        hashes.values().stream().max(Comparator.comparing(Passwords::cost)).orElseThrow();
    this.digestKey = digestKey;
  }

  private static SecretKeySpec newKey() {
    byte[] secret = new byte[32];
    RANDOM.nextBytes(secret);
    return new SecretKeySpec(secret, DIGEST);
  }

  /**
   * Returns an instance for changed users. It keeps the cached results of users with an unchanged
   * hash.
   */
  public Passwords with(Map<String, String> newHashes) {
    Passwords next = new Passwords(newHashes, bcrypt, digestKey);
    correct.forEach(
        (user, digest) -> {
          if (hashes.get(user).equals(newHashes.get(user))) {
            next.correct.put(user, digest);
          }
        });
    return next;
  }

  private static String cost(String hash) {
    return hash.substring(4, 6);
  }

  public boolean isUser(String name) {
    return hashes.containsKey(name);
  }

  public Known known(String user, String password) {
    byte[] digest = digest(user, password);
    byte[] known = correct.get(user);
    if (known != null && MessageDigest.isEqual(known, digest)) {
      return Known.CORRECT;
    }
    synchronized (wrong) {
      return wrong.get(key(digest)) == null ? Known.UNKNOWN : Known.WRONG;
    }
  }

  /** Computes a bcrypt hash, even if the user is unknown, so that the duration is the same. */
  public boolean check(String user, String password) {
    String hash = hashes.get(user);
    // jBCrypt accepts only the prefix $2a, although all prefixes denote the same algorithm.
    String known = "$2a" + (hash == null ? decoyHash : hash).substring(3);
    boolean matches = bcrypt.test(password, known) && hash != null;
    byte[] digest = digest(user, password);
    if (matches) {
      correct.put(user, digest);
    } else {
      synchronized (wrong) {
        wrong.put(key(digest), true);
      }
    }
    return matches;
  }

  private byte[] digest(String user, String password) {
    try {
      Mac mac = Mac.getInstance(DIGEST);
      mac.init(digestKey);
      // A user name does not contain a colon.
      return mac.doFinal((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has " + DIGEST, e);
    }
  }

  private static String key(byte[] digest) {
    return new String(digest, StandardCharsets.ISO_8859_1);
  }
}
