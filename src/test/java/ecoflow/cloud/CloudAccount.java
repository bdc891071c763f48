package ecoflow.cloud;

/**
 * The only account of a simulated cloud: app account and developer keys.
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
}
