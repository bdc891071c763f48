package ecoflow.cloud;

/** What the certification answer gives a client to log in at the broker. */
record MqttCredentials(String account, String password) {}
