package ecoflow;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Asks the exporter of the same container whether it is well: what the image's HEALTHCHECK runs,
 * twice a minute and beside the exporter. So it takes as few classes as it can, and none of a
 * library.
 */
final class HealthCheck {

  private static final int PATIENCE_MS = 4000;
  private static final int FINE = 0;

  /** Container engines keep 2 for themselves. */
  private static final int UNWELL = 1;

  private HealthCheck() {}

  public static void main(String[] args) {
    System.exit(run(System.getenv()));
  }

  static int run(Map<String, String> variables) {
    String problem;
    try {
      problem = problem(variables);
    } catch (IOException e) {
      problem = "no answer: " + e.getMessage();
    } catch (NumberFormatException e) {
      problem = "EXPORTER_PORT is no port";
    }
    if (problem.isEmpty()) {
      return FINE;
    }
    System.out.println(problem);
    return UNWELL;
  }

  private static String problem(Map<String, String> variables) throws IOException {
    try (Socket exporter = connect(variables)) {
      if (!variables.getOrDefault("ECOFLOW_WEB_CONFIG_FILE", "").isBlank()) {
        // It has neither a password nor a certificate: that somebody listens is all it can see.
        return "";
      }
      exporter.setSoTimeout(PATIENCE_MS);
      exporter
          .getOutputStream()
          .write(
              "GET /-/healthy HTTP/1.0\r\nHost: localhost\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      String answer = beginning(exporter.getInputStream());
      return answer.matches("(?s)HTTP/1\\.. 200\\b.*") ? "" : "the exporter says: " + answer;
    }
  }

  /** Where and how the exporter serves its pages, by the same variables as the exporter. */
  private static Socket connect(Map<String, String> variables) throws IOException {
    String port = variables.getOrDefault("EXPORTER_PORT", "").strip();
    String address = variables.getOrDefault("ECOFLOW_LISTEN_ADDRESS", "").strip();
    Socket socket = new Socket();
    try {
      socket.connect(
          new InetSocketAddress(
              address.isEmpty() ? InetAddress.getLoopbackAddress() : InetAddress.getByName(address),
              port.isEmpty() ? 9090 : port(port)),
          PATIENCE_MS);
    } catch (IOException | NumberFormatException e) {
      socket.close();
      throw e;
    }
    return socket;
  }

  private static int port(String text) {
    int port = Integer.parseInt(text);
    if (port < 1 || port > 65535) {
      throw new NumberFormatException(text);
    }
    return port;
  }

  private static String beginning(InputStream in) throws IOException {
    return new String(in.readNBytes(500), StandardCharsets.UTF_8).strip();
  }
}
