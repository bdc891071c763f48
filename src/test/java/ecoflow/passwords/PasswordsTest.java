package ecoflow.passwords;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.passwords.Passwords.Known;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PasswordsTest {

  /** Output of htpasswd -nbB -C 5. */
  private static final String S3CRET =
      "$2y$05$ucUAOEqlIr/YW6m5uY6uSef6ldXfiNa2bdxCtJR89RIMm094OIKHW";

  private static final String PAESS =
      "$2y$05$BhvONjzS33u7uTuq7dSKye6ELiF.Ms7PWx7AIoLkqm8cFLgK1sHku";

  private final List<String> calls = new ArrayList<>();

  private Passwords counted(Map<String, String> hashes) {
    return new Passwords(
        hashes,
        (password, hash) -> {
          calls.add(hash);
          return password.equals("right");
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"$2y", "$2a", "$2b"})
  void allHashPrefixesAreSupported(String name) {
    Passwords passwords = new Passwords(Map.of("alice", name + S3CRET.substring(3)));
    assertTrue(passwords.check("alice", "s3cret"));
    assertFalse(passwords.check("alice", "s3cret "));
  }

  @Test
  void passwordIsUtf8AndCanContainColon() {
    Passwords passwords = new Passwords(Map.of("bob", PAESS));
    assertTrue(passwords.check("bob", "p\u00e4:ss"));
    assertFalse(passwords.check("bob", "p\u00e4"));
  }

  @Test
  void resultsAreCached() {
    Passwords passwords = counted(Map.of("alice", S3CRET, "bob", PAESS));
    assertEquals(Known.UNKNOWN, passwords.known("alice", "right"));
    assertTrue(passwords.check("alice", "right"));
    assertFalse(passwords.check("alice", "wrong"));
    assertEquals(Known.CORRECT, passwords.known("alice", "right"));
    assertEquals(Known.WRONG, passwords.known("alice", "wrong"));
    // The result is not valid for another user.
    assertEquals(Known.UNKNOWN, passwords.known("bob", "right"));
    assertEquals(2, calls.size());
  }

  @Test
  void changesOfOtherUsersKeepCachedPasswords() {
    Passwords passwords = counted(Map.of("alice", S3CRET, "bob", PAESS));
    passwords.check("alice", "right");
    passwords.check("bob", "right");
    Passwords changed = passwords.with(Map.of("alice", S3CRET, "bob", S3CRET, "carol", PAESS));
    assertEquals(Known.CORRECT, changed.known("alice", "right"));
    assertEquals(Known.UNKNOWN, changed.known("alice", "wrong"));
    assertEquals(Known.UNKNOWN, changed.known("bob", "right"), "another hash");
    assertEquals(Known.UNKNOWN, changed.known("carol", "right"));
    assertEquals(Known.UNKNOWN, changed.with(Map.of("bob", PAESS)).known("alice", "right"));
  }

  @Test
  void guessesDoNotEvictCorrectPassword() {
    Passwords passwords = counted(Map.of("alice", S3CRET));
    passwords.check("alice", "right");
    for (int i = 0; i < 1_000; i++) {
      passwords.check("alice", "guess " + i);
    }
    assertEquals(Known.CORRECT, passwords.known("alice", "right"));
    assertEquals(Known.UNKNOWN, passwords.known("alice", "guess 0"), "memory is bounded");
    assertEquals(Known.WRONG, passwords.known("alice", "guess 999"));
  }

  @Test
  void unknownUserCostsAsMuchAsMostExpensiveHash() {
    String expensive = "$2y$12" + S3CRET.substring(6);
    Passwords passwords = counted(Map.of("alice", S3CRET, "bob", expensive, "carol", PAESS));
    assertFalse(passwords.check("mallory", "right"));
    assertEquals(List.of("$2a" + expensive.substring(3)), calls);
    assertEquals(Known.WRONG, passwords.known("mallory", "right"));
  }
}
