package ecoflow.text;

import java.io.EOFException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.hc.client5.http.impl.classic.RequestFailedException;
import org.apache.hc.core5.http.MessageConstraintException;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.eclipse.paho.client.mqttv3.MqttException;

/** Short descriptions of failures for users. */
final class Failures {

  private static final int MAX_CAUSES = 12;

  private Failures() {}

  static String describe(Throwable failure, String path) {
    Optional<String> step = FailedStep.describe(failure);
    if (step.isPresent()) {
      return step.get();
    }
    String where = path == null ? "" : " on " + path;
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
      if (cause instanceof PlainException plain) {
        return plain.message(where);
      }
      String text = known(cause);
      if (text != null) {
        return text + where;
      }
      cause = cause.getCause() == cause ? null : cause.getCause();
    }
    String message = failure.getMessage();
    return failure.getClass().getSimpleName()
        + (message == null ? "" : ": " + Lines.oneLine(message))
        + where;
  }

  private static String known(Throwable cause) {
    if (cause instanceof HttpOperationFailedException http) {
      return "HTTP " + http.getStatusCode();
    }
    if (cause instanceof EOFException || cause instanceof NoHttpResponseException) {
      return "the server closed the connection";
    }
    if (cause instanceof UnknownHostException) {
      return "unknown host " + Lines.oneLine(String.valueOf(cause.getMessage()));
    }
    if (cause instanceof MessageConstraintException) {
      return "the headers of the response are too long";
    }
    // Netty wraps the reason in a message with the names of all certificates in the chain.
    if (cause instanceof CertificateException
        && !(cause.getCause() instanceof CertificateException)) {
      return "the certificate of the host is not trusted ("
          + Lines.oneLine(cause.getMessage())
          + ")";
    }
    if (cause instanceof ConnectException) {
      return "connection refused or host unreachable";
    }
    if (cause instanceof InterruptedIOException
        || cause instanceof TimeoutException
        || isTimeout(cause)) {
      return "no response in time";
    }
    if (cause instanceof SSLException && cause.getCause() == null) {
      return "TLS failed (" + Lines.oneLine(cause.getMessage()) + ")";
    }
    if (cause instanceof SocketException && cause.getCause() == null) {
      return "the connection was lost (" + Lines.oneLine(cause.getMessage()) + ")";
    }
    if (cause instanceof com.fasterxml.jackson.core.JacksonException) {
      return "the response is not JSON";
    }
    if (cause instanceof MqttException mqtt) {
      return known(mqtt);
    }
    return null;
  }

  /** Whether the failure is one that the time limit of a call causes. */
  private static boolean isTimeout(Throwable cause) {
    return cause instanceof RequestFailedException
        || (cause instanceof SocketException && "Socket closed".equals(cause.getMessage()));
  }

  private static String known(MqttException failure) {
    return switch (failure.getReasonCode()) {
      case MqttException.REASON_CODE_FAILED_AUTHENTICATION,
          MqttException.REASON_CODE_NOT_AUTHORIZED ->
          "the broker refused the credentials";
      case MqttException.REASON_CODE_INVALID_CLIENT_ID -> "the broker refused the client ID";
      case MqttException.REASON_CODE_BROKER_UNAVAILABLE -> "the broker is unavailable";
      case MqttException.REASON_CODE_CLIENT_TIMEOUT -> "no response in time";
      case MqttException.REASON_CODE_CLIENT_NOT_CONNECTED -> "not connected";
      case MqttException.REASON_CODE_CONNECTION_LOST ->
          failure.getCause() == null ? "the broker closed the connection" : null;
      default -> null;
    };
  }
}
