package ecoflow.decode;

import ecoflow.decode.Decoded.Dropped;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Assigns the items of a list to keys. A device can send its packs one by one and in any order, so
 * an item is identified by its own fields, not by its position.
 */
final class ListItems {

  /** More than the number of packs, circuits or kinds of energy of any device. */
  static final int MAX_PLACES = 100;

  /** The place of totals. It differs from all serial numbers, which are in upper case. */
  static final String TOTAL = "system";

  private static final long MAX_NUMBER = 0xffffffffL;
  private static final int MAX_SERIAL_LENGTH = 40;

  /**
   * The rules in rules.csv for a message that is a list item.
   *
   * @param placeFields the fields with the place, such as bp_no or dev_info.dev_sn; empty if the
   *     items have no such field
   * @param emptySlots whether an item without a place is an empty slot; otherwise its place is 0,
   *     because devices omit zeros
   * @param hasTotal whether an item without a place is the sum of all others, at the place {@link
   *     #TOTAL}; each item of such a list is complete and replaces the previous one
   * @param newestBy the field with the time of a history item, of which only the newest is used;
   *     null for lists that are not a history
   */
  record Rule(List<String> placeFields, boolean emptySlots, boolean hasTotal, String newestBy) {

    /** Items are identified by their position in the list. */
    static final Rule BY_POSITION = new Rule(List.of(), false, false, null);

    Rule placedBy(List<String> fields, boolean slots, boolean total) {
      return new Rule(fields, slots, total, newestBy);
    }

    Rule newestBy(String field) {
      return new Rule(placeFields, emptySlots, hasTotal, field);
    }
  }

  private final String list;
  private final Rule rule;
  private final Map<String, Object> values;
  private final Consumer<Dropped.Reason> dropped;
  private final BiConsumer<String, Long> times;
  private final Set<String> places = new HashSet<>();
  private final Map<String, Long> newest = new HashMap<>();

  /**
   * @param values receives the items with their keys, such as {@code bp_info[2]}
   * @param times receives the key and the time of each history item
   */
  ListItems(
      String list,
      Rule rule,
      Map<String, Object> values,
      Consumer<Dropped.Reason> dropped,
      BiConsumer<String, Long> times) {
    this.list = list;
    this.rule = rule;
    this.values = values;
    this.dropped = dropped;
    this.times = times;
  }

  /**
   * Adds an item with the key of its place. If two items have the same place, the later one wins,
   * or in a history the newer one.
   */
  void put(Map<String, ?> item) {
    if (item.isEmpty() && rule.emptySlots()) {
      return;
    }
    StringBuilder key = new StringBuilder(list);
    for (String field : rule.placeFields()) {
      Object place = rule.emptySlots() ? named(item, field) : orZero(find(item, field));
      if (place == null && rule.hasTotal()) {
        place = TOTAL;
      }
      if (place == null) {
        drop(Dropped.Reason.NO_PLACE);
        return;
      }
      if (place instanceof Long number && number >= 0 && number <= MAX_NUMBER) {
        key.append('[').append(number).append(']');
      } else if (place instanceof String serial && isSerial(serial)) {
        key.append("[\"").append(serial).append("\"]");
      } else {
        drop(Dropped.Reason.PLACE);
        return;
      }
    }
    String place = key.toString();
    if (!places.contains(place)) {
      if (places.size() == MAX_PLACES) {
        drop(Dropped.Reason.PLACE);
        return;
      }
      places.add(place);
    }
    if (rule.newestBy() == null) {
      values.put(place, item);
      if (rule.hasTotal()) {
        times.accept(place, 0L);
      }
    } else {
      putIfNewest(place, item, item.get(rule.newestBy()) instanceof Long time ? time : 0);
    }
  }

  /** Whether the text consists of ASCII letters and digits and has a plausible length. */
  private static boolean isSerial(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z')) {
        return false;
      }
    }
    return !text.isEmpty() && text.length() <= MAX_SERIAL_LENGTH;
  }

  private void putIfNewest(String place, Map<String, ?> item, long seconds) {
    Long before = newest.get(place);
    if (before == null || before < seconds) {
      newest.put(place, seconds);
      values.put(place, item);
      times.accept(place, seconds);
    }
  }

  private void drop(Dropped.Reason reason) {
    dropped.accept(reason);
  }

  private static Object named(Map<String, ?> item, String field) {
    Object place = find(item, field);
    return "".equals(place) || Long.valueOf(0).equals(place) ? null : place;
  }

  private static Object orZero(Object place) {
    return place == null ? Long.valueOf(0) : place;
  }

  /** The value of a field; a path with dots selects fields of nested messages. */
  private static Object find(Map<String, ?> item, String path) {
    int dot = path.indexOf('.');
    if (dot < 0) {
      return item.get(path);
    }
    return item.get(path.substring(0, dot)) instanceof Map<?, ?> nested
        ? nested.get(path.substring(dot + 1))
        : null;
  }
}
