package ecoflow.api;

import ecoflow.account.Account;
import ecoflow.account.PerAccount;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Decides whether a failed attempt is repeated, and after which pause. */
final class Redelivery {

  private static final Duration MAX_RETRY_AFTER = Duration.ofSeconds(60);
  private static final String WRONG_SIGNATURE = "8521";

  private final PerAccount<Cooldown> cooldowns;
  private final PerAccount<ApiHost> hosts;

  Redelivery(PerAccount<Cooldown> cooldowns, PerAccount<ApiHost> hosts) {
    this.cooldowns = cooldowns;
    this.hosts = hosts;
  }

  /**
   * Whether another attempt can succeed after an error code: the time stamp can cause a wrong
   * signature, and the region an unknown key.
   */
  public boolean isWorthRepeating(Exchange exchange) {
    return exchange.getProperty(Exchange.EXCEPTION_CAUGHT) instanceof CloudException failure
        && (failure.code().equals(WRONG_SIGNATURE)
            || hosts.of(Account.of(exchange)).canTryNext(failure));
  }

  /**
   * Prepares the redelivery after a failed attempt. Retry-After sets the pause, up to 60 s;
   * together with a status that requests fewer calls, it pauses further calls. A key that is
   * unknown in this region is tried in the next region.
   */
  public void prepare(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    if (failure == null) {
      failure = exchange.getException();
    }
    exchange.getMessage().removeHeader(Exchange.REDELIVERY_DELAY);
    Duration pause = retryAfter(failure, Instant.now());
    if (pause != null) {
      exchange.getMessage().setHeader(Exchange.REDELIVERY_DELAY, pause.toMillis());
      if (Cooldown.isRequestedBy(failure)) {
        cooldowns.of(Account.of(exchange)).extendTo(pause);
      }
    }
    // Camel also calls this method for a failure that is not repeated, if an earlier failure of the
    // same call was repeated.
    ApiHost host = hosts.of(Account.of(exchange));
    if (host.canTryNext(failure)) {
      host.tryNext();
    }
  }

  /**
   * The pause of the Retry-After header, which contains seconds or a date; null without the header.
   */
  static Duration retryAfter(Throwable failure, Instant now) {
    if (!(failure instanceof HttpOperationFailedException http)
        || http.getResponseHeaders() == null) {
      return null;
    }
    for (Map.Entry<String, String> header : http.getResponseHeaders().entrySet()) {
      if ("Retry-After".equalsIgnoreCase(header.getKey())) {
        return parse(header.getValue(), now);
      }
    }
    return null;
  }

  private static Duration parse(String value, Instant now) {
    Duration pause;
    try {
      pause =
          value.strip().matches("[0-9]{1,9}")
              ? Duration.ofSeconds(Long.parseLong(value.strip()))
              : Duration.between(
                  now,
                  ZonedDateTime.parse(value.strip(), DateTimeFormatter.RFC_1123_DATE_TIME)
                      .toInstant());
    } catch (DateTimeException e) {
      return null;
    }
    if (pause.isNegative()) {
      return Duration.ZERO;
    }
    return pause.compareTo(MAX_RETRY_AFTER) > 0 ? MAX_RETRY_AFTER : pause;
  }
}
