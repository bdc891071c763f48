package ecoflow.landing;

import ecoflow.text.Lines;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;

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
   * Creates a query from the headers in which Camel stores query parameters. Like names of devices,
   * they are cut to 200 characters and contain no control characters, so that a copied name is
   * found.
   */
  static Query of(Object text, Object account, Object page) {
    return new Query(clean(text), clean(account), clean(page));
  }

  /** If a parameter is repeated, its header is a list. The last value is used. */
  private static String clean(Object header) {
    Object value = header;
    if (header instanceof List<?> list) {
      value = list.get(list.size() - 1);
    }
    return value == null ? "" : Lines.name(value.toString()).strip();
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
    return "/?" + parameter("q", text) + parameter("account", account) + "page=" + number;
  }

  /** The address of all devices of an account. */
  static String accountLink(String name) {
    return "/?account=" + encode(name);
  }

  private static String parameter(String name, String value) {
    return value.isEmpty() ? "" : name + "=" + encode(value) + "&";
  }

  private static String encode(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }
}
