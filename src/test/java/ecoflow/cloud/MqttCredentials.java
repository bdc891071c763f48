package ecoflow.cloud;

/** The broker login in the certification answer. */
record MqttCredentials(String account, String password) {}
