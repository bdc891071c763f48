package ecoflow.landing;

import ecoflow.device.DeviceView;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The devices that match a query, and those of them that are on the requested page.
 *
 * @param query the query
 * @param page the number of the page, from 1
 * @param pages the number of pages, at least 1
 * @param found the number of matching devices on all pages
 * @param groups the devices of the page by account; a group can start or end on another page
 * @param hasAccounts whether there are several accounts
 */
record Selection(
    Query query, int page, int pages, int found, List<Group> groups, boolean hasAccounts) {

  /** Maximum number of devices on a page. */
  static final int PAGE_SIZE = 100;

  /** The page has no search field up to this number of devices. */
  private static final int SEARCHED_BY_EYE = 10;

  private static final Comparator<Entry> ORDER =
      Comparator.comparing(Entry::account, String.CASE_INSENSITIVE_ORDER)
          .thenComparing(Entry::account)
          .thenComparing(entry -> entry.device().online())
          .thenComparing(Entry::name, String.CASE_INSENSITIVE_ORDER)
          .thenComparing(Entry::serial);

  /**
   * Devices of an account.
   *
   * @param account the name of the account; empty for devices without an account
   * @param devices the devices of the account on this page
   * @param found the number of devices of the account that match, on all pages
   * @param all the number of devices of the account
   */
  record Group(String account, List<DeviceView> devices, int found, int all) {}

  private record Entry(DeviceView device, String account) {

    String name() {
      return device.labels().deviceName();
    }

    String serial() {
      return device.serial();
    }

    boolean contains(String lowerCase) {
      return contains(name(), lowerCase)
          || contains(serial(), lowerCase)
          || contains(device.labels().productName(), lowerCase)
          || contains(account, lowerCase);
    }

    private static boolean contains(String text, String lowerCase) {
      return lower(text).contains(lowerCase);
    }
  }

  /**
   * Selects devices.
   *
   * @param accountOf returns the name of the account of a device; empty for none
   */
  static Selection of(
      List<DeviceView> devices, Function<DeviceView, String> accountOf, Query query) {
    List<Entry> all =
        devices.stream().map(device -> new Entry(device, accountOf.apply(device))).toList();
    List<Entry> found = all.stream().filter(filter(query)).sorted(ORDER).toList();
    int pages = Math.max(1, (found.size() + PAGE_SIZE - 1) / PAGE_SIZE);
    int page = query.page(pages);
    int start = (page - 1) * PAGE_SIZE;
    List<Entry> shown = found.subList(start, Math.min(found.size(), start + PAGE_SIZE));
    Map<String, Integer> sizes = sizes(all);
    return new Selection(
        query, page, pages, found.size(), groups(shown, sizes(found), sizes), sizes.size() > 1);
  }

  private static Predicate<Entry> filter(Query query) {
    String text = lower(query.text());
    return entry ->
        (query.account().isEmpty() || query.account().equals(entry.account()))
            && (text.isEmpty() || entry.contains(text));
  }

  private static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  private static Map<String, Integer> sizes(List<Entry> entries) {
    return entries.stream().collect(Collectors.toMap(Entry::account, entry -> 1, Integer::sum));
  }

  private static List<Group> groups(
      List<Entry> shown, Map<String, Integer> found, Map<String, Integer> all) {
    Map<String, List<DeviceView>> devices = new LinkedHashMap<>();
    for (Entry entry : shown) {
      devices.computeIfAbsent(entry.account(), unused -> new ArrayList<>()).add(entry.device());
    }
    return devices.entrySet().stream()
        .map(
            group ->
                new Group(
                    group.getKey(),
                    group.getValue(),
                    found.get(group.getKey()),
                    all.get(group.getKey())))
        .toList();
  }

  /** Whether the page needs a search field. */
  boolean needsSearch(int devices) {
    return devices > SEARCHED_BY_EYE || hasAccounts || query.isFilter();
  }

  /** The position of the first device of the page, from 1; 1 without devices. */
  int first() {
    return (page - 1) * PAGE_SIZE + 1;
  }

  /** The position of the last device of the page. */
  int last() {
    return Math.min(found, page * PAGE_SIZE);
  }
}
