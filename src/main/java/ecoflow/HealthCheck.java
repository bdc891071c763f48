package ecoflow;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Map;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * The health check of the image: requests the state of the exporter in the same container. It runs
 * twice a minute next to the exporter, so it loads as few classes as possible, and no libraries.
 */
final class HealthCheck {

  private static final int TIMEOUT_MILLIS = 4000;
  private static final int HEALTHY = 0;

  /** Exit code 2 is reserved by container engines. */
  private static final int UNHEALTHY = 1;

  private HealthCheck() {}

  public static void main(String[] args) {
    System.exit(run(System.getenv()));
  }

  static int run(Map<String, String> variables) {
    String problem;
    try {
      problem = problem(variables);
    } catch (IOException e) {
      problem = "no response: " + e.getMessage();
    } catch (NumberFormatException e) {
      problem = "EXPORTER_PORT is not a port";
    }
    if (problem.isEmpty()) {
      return HEALTHY;
    }
    System.out.println(problem);
    return UNHEALTHY;
  }

  private static String problem(Map<String, String> variables) throws IOException {
    String webConfig = webConfig(variables);
    try (Socket exporter = connect(variables, webConfig.contains("tls_server_config"))) {
      return problem(exporter, webConfig.contains("client_auth_type"));
    }
  }

  private static String problem(Socket exporter, boolean checksClients) throws IOException {
    try {
      exporter.setSoTimeout(TIMEOUT_MILLIS);
      exporter
          .getOutputStream()
          .write(
              "GET /-/healthy HTTP/1.0\r\nHost: localhost\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      String response = firstBytes(exporter.getInputStream());
      // An exporter that requires a password is healthy as well.
      boolean isHealthy = response.matches("(?s)HTTP/1\\.. (200|401)\\b.*");
      isHealthy |= checksClients && response.isEmpty();
      return isHealthy ? "" : "unexpected response: " + response;
    } catch (SSLException | SocketException e) {
      // A server that requires a client certificate sends an alert and closes the connection. The
      // alert is lost if the request arrives after that.
      if (checksClients) {
        return "";
      }
      throw e;
    }
  }

  /** Address and protocol of the pages, from the same variables as in the exporter. */
  private static Socket connect(Map<String, String> variables, boolean isTls) throws IOException {
    String port = variables.getOrDefault("EXPORTER_PORT", "").strip();
    Socket socket = isTls ? tls().createSocket() : new Socket();
    try {
      socket.connect(
          new InetSocketAddress(address(variables), port.isEmpty() ? 9090 : port(port)),
          TIMEOUT_MILLIS);
    } catch (IOException | NumberFormatException e) {
      socket.close();
      throw e;
    }
    return socket;
  }

  private static InetAddress address(Map<String, String> variables) throws IOException {
    String address = variables.getOrDefault("ECOFLOW_LISTEN_ADDRESS", "").strip();
    InetAddress bound =
        address.isEmpty() ? InetAddress.getLoopbackAddress() : InetAddress.getByName(address);
    return bound.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : bound;
  }

  private static String webConfig(Map<String, String> variables) throws IOException {
    String file = variables.getOrDefault("ECOFLOW_WEB_CONFIG_FILE", "").strip();
    return file.isEmpty() ? "" : Files.readString(Path.of(file));
  }

  /** The certificate is not verified: the connection is local and transfers no secret. */
  private static SocketFactory tls() throws IOException {
    TrustManager all =
        new X509TrustManager() {
          @Override
          public void checkClientTrusted(X509Certificate[] chain, String type) {
            // Not called by a client.
          }

          @Override
          public void checkServerTrusted(X509Certificate[] chain, String type) {
            // Accepts every certificate.
          }

          @Override
          public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
          }
        };
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {all}, null);
      return context.getSocketFactory();
    } catch (GeneralSecurityException e) {
      throw new IOException("this Java runtime does not support TLS", e);
    }
  }

  private static int port(String text) {
    int port = Integer.parseInt(text);
    if (port < 1 || port > 65535) {
      throw new NumberFormatException(text);
    }
    return port;
  }

  private static String firstBytes(InputStream in) throws IOException {
    return new String(in.readNBytes(500), StandardCharsets.UTF_8).strip();
  }
}
