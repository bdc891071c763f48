package ecoflow.command;

import ecoflow.config.HttpSettings;
import ecoflow.config.ProxySettings;
import ecoflow.text.Lines;
import java.io.IOException;
import java.net.InetAddress;
import java.security.cert.CertificateException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;

/** The network path to a host: directly or through the proxy. */
final class Network {

  private static final int MAX_CAUSES = 12;
  private static final int HTTPS_PORT = 443;

  private final String host;
  private final Optional<ProxySettings> configured;
  private final Optional<ProxySettings> proxy;

  /** The path to the API host. */
  Network(HttpSettings settings) {
    this(settings.hosts().get(0), settings);
  }

  /**
   * @param address a host, optionally with a port
   */
  Network(String address, HttpSettings settings) {
    this.host = address.replaceFirst(":[0-9]+$", "");
    int port =
        host.equals(address) ? HTTPS_PORT : Integer.parseInt(address.substring(host.length() + 1));
    this.configured = settings.proxy();
    this.proxy = configured.filter(known -> known.isFor(host, port));
  }

  String host() {
    return host;
  }

  /** A line about the use of the proxy for this host; empty without a proxy. */
  Optional<String> proxyLine() {
    return configured.map(
        known ->
            proxy.isPresent()
                ? known.label() + " is used for " + host
                : known.label() + " is not used for " + host + " because of NO_PROXY");
  }

  /** The same information as the end of a line; empty without a proxy. */
  String suffix() {
    return configured
        .map(
            known ->
                proxy.isPresent()
                    ? ", through the proxy " + known.label()
                    : ", without the proxy " + known.label() + " because of NO_PROXY")
        .orElse("");
  }

  /** The host that this machine resolves: a proxy resolves the name of the target itself. */
  String firstHost() {
    return proxy.map(ProxySettings::host).orElse(host);
  }

  /** The variable that sets {@link #firstHost}. */
  String variable() {
    return proxy.map(ProxySettings::variable).orElse("ECOFLOW_API_HOST");
  }

  List<String> resolve() throws IOException {
    return Arrays.stream(InetAddress.getAllByName(firstHost()))
        .map(InetAddress::getHostAddress)
        .toList();
  }

  String describe(IOException failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++, cause = cause.getCause()) {
      if (cause instanceof CertificateException || cause instanceof SSLPeerUnverifiedException) {
        return Lines.describe(failure)
            + "; if a proxy decrypts your traffic, set ECOFLOW_CA_FILE to its certificate";
      }
    }
    return Lines.describe(failure) + "; check the network, a firewall, and " + variable();
  }
}
