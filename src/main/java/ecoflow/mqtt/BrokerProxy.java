package ecoflow.mqtt;

import ecoflow.config.ProxySettings;
import ecoflow.text.Lines;
import ecoflow.text.ProxyException;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.proxy.ProxyConnectException;
import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.ProxyType;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Connects to the broker through the forward proxy. A separate class, so that its classes are
 * loaded only if a proxy is configured.
 */
final class BrokerProxy {

  /** Netty exposes the status of the proxy's response only in the exception message. */
  private static final Pattern STATUS = Pattern.compile(", status: ([0-9]{3})");

  /** Netty's status for a response that is not HTTP. */
  private static final String NOT_HTTP = "999";

  private BrokerProxy() {}

  /**
   * @param responseTimeout timeout of the connection attempt to the broker
   */
  static ProxyOptions options(ProxySettings proxy, Duration responseTimeout) {
    ProxyOptions options =
        new ProxyOptions()
            .setType(ProxyType.HTTP)
            .setHost(proxy.host())
            .setPort(proxy.port())
            // Shorter than responseTimeout, so that the error for an unresponsive proxy names the
            // proxy.
            .setConnectTimeout(responseTimeout.multipliedBy(9).dividedBy(10));
    proxy.login().ifPresent(login -> options.setUsername(login.id()).setPassword(login.secret()));
    return options;
  }

  /** Returns the failure as a failure of the proxy; empty if the proxy is not the cause. */
  static Optional<ProxyException> failure(ProxySettings proxy, String target, Throwable failure) {
    if (!(failure instanceof ConnectException || failure instanceof UnknownHostException)) {
      return Optional.empty();
    }
    String message = String.valueOf(failure.getMessage());
    Matcher status = STATUS.matcher(message);
    if (status.find() && !status.group(1).equals(NOT_HTTP)) {
      return Optional.of(
          ProxyException.refused(
              proxy.label(), proxy.login().isPresent(), target, Integer.parseInt(status.group(1))));
    }
    String reason = Lines.describe(failure);
    if (failure instanceof ConnectTimeoutException || message.endsWith(", timeout")) {
      reason = "no response in time";
    } else if (failure instanceof ProxyConnectException) {
      reason = ProxyException.NO_ANSWER;
    }
    return Optional.of(ProxyException.unreachable(proxy.label(), reason));
  }
}
