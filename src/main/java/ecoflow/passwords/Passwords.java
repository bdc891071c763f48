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
 * The users with their bcrypt hashes. A check of a hash takes long on purpose, so what came of it
 * is remembered, and of the password only a keyed digest.
 */
public final class Passwords {

  private static final int MAX_WRONG = 100;
  private static final String DIGEST = "HmacSHA256";
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Map<String, String> hashes;
  private final BiPredicate<String, String> bcrypt;
  private final String hashOfNobody;
  private final SecretKeySpec digestKey;
  private final Map<String, byte[]> right = new ConcurrentHashMap<>();

  /** Apart from the right ones: who guesses must not make the others wait for bcrypt again. */
  private final Map<String, Boolean> wrong =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > MAX_WRONG;
        }
      };

  /** What is known without bcrypt. */
  public enum Known {
    RIGHT,
    WRONG,
    UNKNOWN
  }

  /**
   * @param hashes by user, at least one
   */
  public Passwords(Map<String, String> hashes) {
    this(hashes, BCrypt::checkpw);
  }

  /**
   * @param bcrypt whether a password has a hash
   */
  Passwords(Map<String, String> hashes, BiPredicate<String, String> bcrypt) {
    this(hashes, bcrypt, newKey());
  }

  private Passwords(
      Map<String, String> hashes, BiPredicate<String, String> bcrypt, SecretKeySpec digestKey) {
    this.hashes = hashes;
    this.bcrypt = bcrypt;
    // A name that nobody has must take as long as one that somebody has.
    this.hashOfNobody =
        hashes.values().stream().max(Comparator.comparing(Passwords::cost)).orElseThrow();
    this.digestKey = digestKey;
  }

  private static SecretKeySpec newKey() {
    byte[] secret = new byte[32];
    RANDOM.nextBytes(secret);
    return new SecretKeySpec(secret, DIGEST);
  }

  /** With other users: those who keep their hash are not checked by bcrypt again. */
  public Passwords with(Map<String, String> newHashes) {
    Passwords next = new Passwords(newHashes, bcrypt, digestKey);
    right.forEach(
        (user, digest) -> {
          if (hashes.get(user).equals(newHashes.get(user))) {
            next.right.put(user, digest);
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
    byte[] known = right.get(user);
    if (known != null && MessageDigest.isEqual(known, digest)) {
      return Known.RIGHT;
    }
    synchronized (wrong) {
      return wrong.get(key(digest)) == null ? Known.UNKNOWN : Known.WRONG;
    }
  }

  /** Takes the time of a bcrypt, whoever the user is. */
  public boolean check(String user, String password) {
    String hash = hashes.get(user);
    // jBCrypt knows the algorithm that all of them name by its first name only.
    String known = "$2a" + (hash == null ? hashOfNobody : hash).substring(3);
    boolean matches = bcrypt.test(password, known) && hash != null;
    byte[] digest = digest(user, password);
    if (matches) {
      right.put(user, digest);
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
      // A name has no colon.
      return mac.doFinal((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has " + DIGEST, e);
    }
  }

  private static String key(byte[] digest) {
    return new String(digest, StandardCharsets.ISO_8859_1);
  }
}
