package ecoflow.cloud;

import java.util.Map;

/** An HTTP response before it is sent. */
record Answer(int status, Map<String, String> headers, String body) {

  Answer withBody(String other) {
    return new Answer(status, headers, other);
  }
}
