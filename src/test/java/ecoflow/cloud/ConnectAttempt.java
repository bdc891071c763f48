package ecoflow.cloud;

import java.time.Instant;

/** One MQTT login, accepted or refused. */
public record ConnectAttempt(Instant time, String clientId, String user, boolean accepted) {}
