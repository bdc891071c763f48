package ecoflow.cloud;

/**
 * The credentials of an account of a simulated cloud: app account and developer keys.
 *
 * @param userId 19 digits
 */
public record CloudAccount(
    String email, String password, String userId, String accessKey, String secretKey) {

  public static final CloudAccount DEFAULT =
      new CloudAccount(
          "owner@example.org",
          "correct horse",
          "1612345678901234567",
          "simulatedAccessKey00000000000000",
          "simulatedSecretKey00000000000000");

  /**
   * One of many accounts, each with credentials of its own.
   *
   * @param number at least 1
   */
  public static CloudAccount numbered(int number) {
    return new CloudAccount(
        "owner-" + number + "@example.org",
        "correct horse " + number,
        "16123456789%08d".formatted(number),
        "simulatedAccessKey%014d".formatted(number),
        "simulatedSecretKey%014d".formatted(number));
  }
}
