package ecoflow.mqtt;

import ecoflow.config.ProxySettings;
import ecoflow.runtime.OutOfMemory;
import ecoflow.text.Lines;
import ecoflow.text.ProxyException;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.vertx.mqtt.MqttConnectionException;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.security.GeneralSecurityException;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.eclipse.paho.client.mqttv3.MqttException;

/** Converts failures of Vert.x and Netty to Paho's, for which the log has descriptions. */
final class MqttFailures {

  private MqttFailures() {}

  /** Converts a failure to send a message. */
  static MqttException notSent(Throwable failure) {
    OutOfMemory.endIf(failure);
    return failure instanceof ClosedChannelException
        ? new MqttException(MqttException.REASON_CODE_CLIENT_NOT_CONNECTED)
        : new MqttException(javaFailure(failure));
  }

  /**
   * Converts a failure to connect.
   *
   * @param socketFailure an earlier failure of the socket, or null
   * @param proxy the proxy of the connection
   */
  static MqttException connectFailed(
      Throwable failure,
      Throwable socketFailure,
      BrokerLogin login,
      Optional<ProxySettings> proxy) {
    OutOfMemory.endIf(failure);
    if (failure instanceof MqttConnectionException refused) {
      return new MqttException(refused.code().byteValue() & 0xff);
    }
    Optional<ProxyException> proxyFailure =
        proxy.flatMap(
            known -> BrokerProxy.failure(known, login.host() + ":" + login.port(), failure));
    if (proxyFailure.isPresent()) {
      return new MqttException(proxyFailure.get());
    }
    if (failure instanceof UnknownHostException) {
      return new MqttException(new UnknownHostException(login.host()));
    }
    if (failure instanceof ConnectTimeoutException
        || failure.getCause() instanceof SslHandshakeTimeoutException) {
      return new MqttException(MqttException.REASON_CODE_CLIENT_TIMEOUT);
    }
    if (failure instanceof ConnectException) {
      return new MqttException(MqttException.REASON_CODE_SERVER_CONNECT_ERROR, failure);
    }
    if (socketFailure != null) {
      return new MqttException(javaFailure(socketFailure));
    }
    // The broker closed the connection before CONNACK, which Vert.x reports only in a message.
    if (failure.getCause() instanceof ClosedChannelException || !(failure instanceof IOException)) {
      return closedByBroker();
    }
    return new MqttException(javaFailure(failure));
  }

  /**
   * Converts the end of an established connection.
   *
   * @param socketFailure the failure of the socket; null if the broker closed the connection
   */
  static MqttException connectionLost(Throwable socketFailure) {
    return socketFailure == null
        ? closedByBroker()
        : new MqttException(MqttException.REASON_CODE_CONNECTION_LOST, javaFailure(socketFailure));
  }

  private static MqttException closedByBroker() {
    return new MqttException(MqttException.REASON_CODE_CONNECTION_LOST, new EOFException());
  }

  /** Netty's socket exceptions are not subclasses of {@link SocketException}. */
  private static Throwable javaFailure(Throwable failure) {
    Throwable root = Lines.rootCause(failure);
    return root instanceof SocketException
            || root instanceof GeneralSecurityException
            || root instanceof SSLException
        ? failure
        : new SocketException(root.getMessage());
  }
}
