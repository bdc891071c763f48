package ecoflow.cloud;

/**
 * The start options of a simulated cloud.
 *
 * @param httpPort 0 for any free port
 * @param mqttPort 0 for any free port
 */
public record CloudOptions(
    int httpPort,
    int mqttPort,
    ServerCertificate httpCertificate,
    ServerCertificate mqttCertificate,
    CloudAccount account) {

  public static final CloudOptions DEFAULT =
      new CloudOptions(
          0, 0, ServerCertificate.TRUSTED, ServerCertificate.TRUSTED, CloudAccount.DEFAULT);

  public CloudOptions withHttpPort(int port) {
    return new CloudOptions(port, mqttPort, httpCertificate, mqttCertificate, account);
  }

  public CloudOptions withMqttPort(int port) {
    return new CloudOptions(httpPort, port, httpCertificate, mqttCertificate, account);
  }

  public CloudOptions withHttpCertificate(ServerCertificate certificate) {
    return new CloudOptions(httpPort, mqttPort, certificate, mqttCertificate, account);
  }

  public CloudOptions withMqttCertificate(ServerCertificate certificate) {
    return new CloudOptions(httpPort, mqttPort, httpCertificate, certificate, account);
  }

  public CloudOptions withAccount(CloudAccount owner) {
    return new CloudOptions(httpPort, mqttPort, httpCertificate, mqttCertificate, owner);
  }
}
