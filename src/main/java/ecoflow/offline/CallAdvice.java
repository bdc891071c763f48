package ecoflow.offline;

import com.fasterxml.jackson.core.JacksonException;
import ecoflow.api.CloudException;
import ecoflow.command.CallFailure;
import ecoflow.text.Lines;
import ecoflow.text.ProxyException;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.util.concurrent.TimeoutException;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.eclipse.paho.client.mqttv3.MqttException;

/** Converts failures of calls and connections for commands, with advice on each failure. */
final class CallAdvice {

  private static final int MAX_CAUSES = 12;
  private static final String NETWORK = "check the network and the firewall, and try again";
  private static final String LATER = "EcoFlow has a failure: try again later";
  private static final String FEWER =
      "wait at least ten minutes, and stop other programs that use these credentials";

  private CallAdvice() {}

  /**
   * @param path the path of the HTTPS call that failed; null for other failures
   */
  static CallFailure failure(Throwable failure, String path) {
    if (failure instanceof CloudException cloud) {
      String message =
          cloud.isRefusal()
              ? cloud.refusal()
              : Lines.describe(cloud, path) + (cloud.hasAdvice() ? "" : ": " + advice(cloud));
      return new CallFailure(cloud.code(), message, cloud.isDeviceOffline(), cloud.isAboutDevice());
    }
    return new CallFailure("", Lines.describe(failure, path) + ": " + advice(failure));
  }

  private static String advice(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++, cause = cause.getCause()) {
      if (cause instanceof CloudException cloud) {
        return cloud.isOverload() ? FEWER : LATER;
      }
      if (cause instanceof ProxyException) {
        return "check HTTPS_PROXY and the proxy";
      }
      if (cause instanceof HttpOperationFailedException http) {
        return advice(http.getStatusCode());
      }
      if (cause instanceof CertificateException) {
        return "if a proxy decrypts your traffic, set ECOFLOW_CA_FILE to its certificate";
      }
      if (cause instanceof MqttException mqtt && isRefusal(mqtt)) {
        return "try again, and check that no other program uses the same MQTT client ID";
      }
      if (cause instanceof JacksonException) {
        return "check ECOFLOW_API_HOST, and whether a proxy answers instead of EcoFlow";
      }
      if (cause instanceof TimeoutException || cause instanceof IOException) {
        return NETWORK;
      }
    }
    return failure instanceof MqttException ? NETWORK : LATER;
  }

  private static boolean isRefusal(MqttException failure) {
    int reason = failure.getReasonCode();
    return reason == MqttException.REASON_CODE_FAILED_AUTHENTICATION
        || reason == MqttException.REASON_CODE_NOT_AUTHORIZED
        || reason == MqttException.REASON_CODE_INVALID_CLIENT_ID;
  }

  private static String advice(int status) {
    return switch (status) {
      case 401, 403, 429 -> "EcoFlow, or a proxy, refuses calls of this machine: " + FEWER;
      case 404 -> "check ECOFLOW_API_HOST";
      default -> status >= 500 ? LATER : "check ECOFLOW_API_HOST, and try again later";
    };
  }
}
