package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.config.HttpSettings;
import ecoflow.text.Lines;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.URL;
import java.security.cert.CertificateException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;

/** The way to the API's host, below any call of the API. */
final class Network {

  private static final int DEPTH = 12;

  private final String address;
  private final int timeoutMillis;
  private final SSLContext tls;

  /**
   * @throws ConfigException when the CA file cannot be used
   */
  Network(HttpSettings settings) throws ConfigException {
    this.address = settings.hosts().get(0);
    this.timeoutMillis = (int) Math.min(Integer.MAX_VALUE, settings.timeout().toMillis());
    this.tls = HttpSettings.tls(settings.trust());
  }

  String host() {
    return address.replaceFirst(":[0-9]+$", "");
  }

  List<String> resolve() throws IOException {
    return Arrays.stream(InetAddress.getAllByName(host()))
        .map(InetAddress::getHostAddress)
        .toList();
  }

  /**
   * How far a clock is before that of the host; empty if the host does not tell the time. Any
   * answer will do.
   */
  Optional<Duration> clockAhead(Clock clock) throws IOException {
    // As the exporter's calls, which know no proxy.
    HttpsURLConnection connection =
        (HttpsURLConnection) new URL("https://" + address + "/").openConnection(Proxy.NO_PROXY);
    connection.setSSLSocketFactory(tls.getSocketFactory());
    connection.setConnectTimeout(timeoutMillis);
    connection.setReadTimeout(timeoutMillis);
    connection.setInstanceFollowRedirects(false);
    connection.setRequestMethod("HEAD");
    try {
      connection.getResponseCode();
      long date = connection.getHeaderFieldDate("Date", 0);
      return date == 0
          ? Optional.empty()
          : Optional.of(Duration.between(Instant.ofEpochMilli(date), clock.instant()));
    } finally {
      connection.disconnect();
    }
  }

  String describe(IOException failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < DEPTH; depth++, cause = cause.getCause()) {
      if (cause instanceof CertificateException) {
        return Lines.describe(failure)
            + "; if a proxy reads your traffic, set ECOFLOW_CA_FILE to its certificate";
      }
    }
    return Lines.describe(failure) + "; check the network, a firewall, and ECOFLOW_API_HOST";
  }
}
