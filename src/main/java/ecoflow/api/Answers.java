package ecoflow.api;

import ecoflow.text.ClockOffset;
import ecoflow.text.Lines;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** Reads EcoFlow's JSON responses: {@code {code, message, data}}. */
final class Answers {

  private static final Pattern UNKNOWN_ACCOUNT =
      Pattern.compile("(?i)\\b(account|user)\\b.*\\b(doesn['\u2019]?t|does not|not) exist");

  static final String DEVICE_NOT_ALLOWED = "1006";
  private static final Pattern OFFLINE = Pattern.compile("(?i)\\b(offline|not online)\\b");
  private static final Pattern PASSWORD = Pattern.compile("(?i)password");

  private Answers() {}

  /**
   * Returns the data of a successful response. Only code 0, as text or as a number, is a success.
   *
   * @param clock returns the offset to EcoFlow's clock; empty if it is unknown
   * @throws CloudException with EcoFlow's code and message, and with the meaning of the code if it
   *     is known
   */
  static Object data(Object response, Supplier<Optional<ClockOffset>> clock) throws CloudException {
    if (!(response instanceof Map<?, ?> map)) {
      throw new CloudException("", "the response is not a JSON object");
    }
    String code = map.get("code") == null ? "" : Lines.oneLine(String.valueOf(map.get("code")));
    if (code.isEmpty()) {
      throw new CloudException("", "the response has no code (" + message(map) + ")");
    }
    if (!code.equals("0")) {
      throw new CloudException(
          code, "code " + code + " (" + message(map) + ")", advice(code, message(map), clock));
    }
    if (map.get("data") == null) {
      throw new CloudException("0", "the response has no data");
    }
    return map.get("data");
  }

  private static String message(Map<?, ?> map) {
    return Lines.oneLine(String.valueOf(map.get("message")));
  }

  /** Checks the message, because EcoFlow uses the same code for a wrong password. */
  static boolean isAccountUnknown(String message) {
    return UNKNOWN_ACCOUNT.matcher(message).find() && !PASSWORD.matcher(message).find();
  }

  // Source: EcoFlow's developer documentation, and user reports for each code.
  private static String advice(String code, String message, Supplier<Optional<ClockOffset>> clock) {
    if (isAccountUnknown(message)) {
      return ": ECOFLOW_ACCOUNT_USER is wrong, unless EcoFlow has an outage";
    }
    return switch (code) {
      case DEVICE_NOT_ALLOWED ->
          isDeviceOffline(code, message)
              ? ""
              : ": the device is not open to developer keys or not bound to their account;"
                  + " the modes mqtt and device can read it";
      case "2026" ->
          ": ECOFLOW_ACCOUNT_USER or ECOFLOW_ACCOUNT_PASSWORD is wrong"
              + " (logins with Google or Apple have no password)";
      case "8512" -> ": no permission for this device";
      case "8513" ->
          ": ECOFLOW_ACCESS_KEY is wrong or belongs to another region (see ECOFLOW_API_HOST)";
      case "8521" -> ": " + signatureAdvice(clock.get());
      default -> "";
    };
  }

  /** The clock is only suspected if its offset is large or unknown. */
  private static String signatureAdvice(Optional<ClockOffset> clock) {
    if (clock.isEmpty()) {
      return "check the clock of this machine and ECOFLOW_SECRET_KEY";
    }
    return clock.get().isTolerated()
        ? "check ECOFLOW_SECRET_KEY; the clock of this machine is correct"
        : "the clock of this machine is " + clock.get() + ": correct it";
  }

  static boolean isDeviceOffline(String code, String message) {
    return code.equals(DEVICE_NOT_ALLOWED) && OFFLINE.matcher(message).find();
  }
}
