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
 * Assigns keys to the items of a list. A device can send its packs one by one and in any order, so
 * an item is identified by the index in its fields, not by its position.
 */
final class ListItems {

  /** Higher than the number of packs, circuits or kinds of energy of any device. */
  static final int MAX_ITEMS = 100;

  /** The index of a total. It differs from all serial numbers, which are in upper case. */
  static final String TOTAL = "system";

  private static final long MAX_NUMBER = 0xffffffffL;
  private static final int MAX_SERIAL_LENGTH = 40;

  /**
   * The rules in rules.csv for a message that is a list item.
   *
   * @param indexFields the fields that contain the index, such as bp_no or dev_info.dev_sn; empty
   *     if there are none
   * @param emptySlots whether an item without an index is an empty slot; otherwise its index is 0,
   *     because devices omit zeros
   * @param hasTotal whether an item without an index is the sum of all others, with the index
   *     {@link #TOTAL}; each item of such a list is complete and replaces the previous one
   * @param newestBy the field with the time of a history item; only the newest item with an index
   *     is used; null for a list that is not a history
   */
  record Rule(List<String> indexFields, boolean emptySlots, boolean hasTotal, String newestBy) {

    /** Items are identified by their position in the list. */
    static final Rule BY_POSITION = new Rule(List.of(), false, false, null);

    Rule indexedBy(List<String> fields, boolean slots, boolean total) {
      return new Rule(fields, slots, total, newestBy);
    }

    Rule newestBy(String field) {
      return new Rule(indexFields, emptySlots, hasTotal, field);
    }
  }

  private final String list;
  private final Rule rule;
  private final Map<String, Object> values;
  private final Consumer<Dropped.Reason> dropped;
  private final BiConsumer<String, Long> times;
  private final Set<String> keys = new HashSet<>();
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
   * Adds an item. If two items have the same index, the later one wins, or in a history the newer
   * one.
   */
  void put(Map<String, ?> item) {
    if (item.isEmpty() && rule.emptySlots()) {
      return;
    }
    StringBuilder key = new StringBuilder(list);
    for (String field : rule.indexFields()) {
      Object index = rule.emptySlots() ? nonZero(item, field) : orZero(find(item, field));
      if (index == null && rule.hasTotal()) {
        index = TOTAL;
      }
      if (index == null) {
        drop(Dropped.Reason.NO_PLACE);
        return;
      }
      if (index instanceof Long number && number >= 0 && number <= MAX_NUMBER) {
        key.append('[').append(number).append(']');
      } else if (index instanceof String serial && isSerial(serial)) {
        key.append("[\"").append(serial).append("\"]");
      } else {
        drop(Dropped.Reason.PLACE);
        return;
      }
    }
    String itemKey = key.toString();
    if (!keys.contains(itemKey)) {
      if (keys.size() == MAX_ITEMS) {
        drop(Dropped.Reason.PLACE);
        return;
      }
      keys.add(itemKey);
    }
    if (rule.newestBy() == null) {
      values.put(itemKey, item);
      if (rule.hasTotal()) {
        times.accept(itemKey, 0L);
      }
    } else {
      putIfNewest(itemKey, item, item.get(rule.newestBy()) instanceof Long time ? time : 0);
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

  private void putIfNewest(String key, Map<String, ?> item, long seconds) {
    Long before = newest.get(key);
    if (before == null || before < seconds) {
      newest.put(key, seconds);
      values.put(key, item);
      times.accept(key, seconds);
    }
  }

  private void drop(Dropped.Reason reason) {
    dropped.accept(reason);
  }

  /**
   * The value of a field; null for 0 and for an empty string, which devices send for an empty slot.
   */
  private static Object nonZero(Map<String, ?> item, String field) {
    Object value = find(item, field);
    return "".equals(value) || Long.valueOf(0).equals(value) ? null : value;
  }

  private static Object orZero(Object value) {
    return value == null ? Long.valueOf(0) : value;
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
