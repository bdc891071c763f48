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

/** Converts failures of Vert.x and Netty to those of Paho, which the log describes. */
final class MqttFailures {

  private MqttFailures() {}

  /** The failure of sending a message. */
  static MqttException notSent(Throwable failure) {
    OutOfMemory.endIf(failure);
    return failure instanceof ClosedChannelException
        ? new MqttException(MqttException.REASON_CODE_CLIENT_NOT_CONNECTED)
        : new MqttException(plain(failure));
  }

  /**
   * The failure of an attempt to connect.
   *
   * @param broken an earlier failure of the socket; null for none
   * @param proxy the proxy of the connection
   */
  static MqttException noConnection(
      Throwable failure, Throwable broken, BrokerLogin login, Optional<ProxySettings> proxy) {
    OutOfMemory.endIf(failure);
    if (failure instanceof MqttConnectionException refused) {
      return new MqttException(refused.code().byteValue() & 0xff);
    }
    Optional<ProxyException> atProxy =
        proxy.flatMap(
            known -> BrokerProxy.failure(known, login.host() + ":" + login.port(), failure));
    if (atProxy.isPresent()) {
      return new MqttException(atProxy.get());
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
    if (broken != null) {
      return new MqttException(plain(broken));
    }
    // The broker closed the connection before it answered; Vert.x reports this only as a text.
    if (failure.getCause() instanceof ClosedChannelException || !(failure instanceof IOException)) {
      return closedByBroker();
    }
    return new MqttException(plain(failure));
  }

  /**
   * The end of an established connection.
   *
   * @param broken the failure of the socket; null if the broker closed the connection
   */
  static MqttException connectionLost(Throwable broken) {
    return broken == null
        ? closedByBroker()
        : new MqttException(MqttException.REASON_CODE_CONNECTION_LOST, plain(broken));
  }

  private static MqttException closedByBroker() {
    return new MqttException(MqttException.REASON_CODE_CONNECTION_LOST, new EOFException());
  }

  /** Netty's socket failures are not instances of Java's exception classes. */
  private static Throwable plain(Throwable failure) {
    Throwable root = Lines.rootCause(failure);
    return root instanceof SocketException
            || root instanceof GeneralSecurityException
            || root instanceof SSLException
        ? failure
        : new SocketException(root.getMessage());
  }
}
