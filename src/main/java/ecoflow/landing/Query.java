package ecoflow.landing;

import ecoflow.text.Lines;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * The query of a request for the landing page; each parameter can be empty.
 *
 * @param text text to search for
 * @param account name of the only account to show
 * @param page number of the page, as sent by the browser
 */
record Query(String text, String account, String page) {

  /** The largest number of digits that fit an int. */
  private static final int MAX_DIGITS = 9;

  static final Query NONE = new Query("", "", "");

  /**
   * Parses a query. Like names of devices, the parameters are cut to 200 characters and contain no
   * control characters, so that a copied name is found.
   *
   * @param raw the encoded query without its question mark; null for none
   */
  static Query parse(String raw) {
    Map<String, List<String>> parameters =
        new QueryStringDecoder(raw == null ? "" : raw, false).parameters();
    return new Query(
        last(parameters.get("q")), last(parameters.get("account")), last(parameters.get("page")));
  }

  /** The last value, if a parameter is repeated. */
  private static String last(List<String> values) {
    return values == null ? "" : Lines.name(values.get(values.size() - 1)).strip();
  }

  boolean isFilter() {
    return !text.isEmpty() || !account.isEmpty();
  }

  /** The number of the page, from 1 to {@code last}; 1 if it is not a number. */
  int page(int last) {
    if (!page.matches("[0-9]+")) {
      return 1;
    }
    String digits = page.replaceFirst("^0+", "0");
    int number = digits.length() > MAX_DIGITS ? last : Integer.parseInt(digits);
    return Math.min(last, Math.max(1, number));
  }

  /** The address of another page of the same devices. */
  String link(int number) {
    return "?" + parameter("q", text) + parameter("account", account) + "page=" + number;
  }

  /** The address of all devices of an account. */
  static String accountLink(String name) {
    return "?account=" + encode(name);
  }

  private static String parameter(String name, String value) {
    return value.isEmpty() ? "" : name + "=" + encode(value) + "&";
  }

  private static String encode(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }
}
