package ecoflow.normal;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The rules in the column {@code rules} of {@code metrics.csv}, where their names are in lower
 * case. The table of rules in docs/METRICS.md is generated from the descriptions.
 */
enum Rule {
  FIRST(Group.PREFERENCE, "Takes precedence over all keys without this rule."),
  FALLBACK(Group.PREFERENCE, "Used only if no key without this rule has a value."),

  NET(
      Group.KEYS,
      "Added to the other keys of the series that have this rule, such as charging power with factor 1"
          + " and discharging power with factor -1."),
  SUM_HOURS(
      Group.KEYS,
      "The last index of the key is an hour of the day. The series is the sum of the hours."),
  THIS_DEVICE(Group.KEYS, "Applies only to the key with the serial number of the device itself."),

  WHERE(
      Group.NO_VALUE,
      Form.FIELD,
      "No value unless the field with this name, in the same object as the key, has this value."),
  ZERO_ABSENT(Group.NO_VALUE, "0 means that nothing was measured, and is not a value."),
  IGNORE_ZERO(
      Group.NO_VALUE,
      "For a counter: zeros between values are ignored and are not a restart. Lifetime counters ignore"
          + " zeros without this rule."),
  NONE(Group.NO_VALUE, Form.NUMBER, "This raw value is not a value."),
  PARKED(
      Group.NO_VALUE,
      "For a time: negative numbers and the placeholders of devices for an unknown time, such as 5999"
          + " and 143999 minutes, are not values."),
  RANGE(Group.NO_VALUE, Form.RANGE, "Raw values outside this range are not values."),
  DROP_ABOVE_100(Group.NO_VALUE, "Raw values above 100 are not values."),

  FLOW(Group.READING, "1 if the two lowest bits have the value 2 or 3, otherwise 0."),
  IS(Group.READING, Form.NUMBER, "1 for this raw value, 0 for any other."),
  BYTESWAP32(Group.READING, "A 32-bit integer with its bytes in reverse order."),

  MILLIS(Group.UNIT, "Raw values of 1000 or more are in thousandths of the unit, such as mV."),
  MILLIS_WITH_VOLTAGE(
      Group.UNIT,
      "For a current: mA if the corresponding voltage (the key with `vol` instead of `amp` at"
          + " its end) is 1000 or more, otherwise A. No value while that voltage is unknown."),
  FAHRENHEIT_IF(
      Group.UNIT,
      Form.KEY,
      "Degrees Fahrenheit if this raw key has this value, otherwise degrees Celsius. No value while"
          + " that key is unknown."),

  MAGNITUDE(Group.SIGN, "The value without its sign."),
  SPLIT(
      Group.SIGN,
      "A negative value becomes 0. Two rows with opposite factors give the two directions of a flow."),

  NATIVE_TOTAL(Group.COUNTER, "A counter of the device for its whole lifetime."),
  NATIVE_DAY(Group.COUNTER, "A counter of the device that restarts every day."),
  NATIVE_SESSION(
      Group.COUNTER, "A counter of the device that restarts with each charging session.");

  /** The subject of a rule. */
  enum Group {
    PREFERENCE("preferred key", true),
    KEYS("keys of a series", false),
    NO_VALUE("absent value", false),
    READING("reading", true),
    UNIT("unit", true),
    SIGN("sign", true),
    COUNTER("kind of counter", true);

    private final String title;
    private final boolean isExclusive;

    Group(String title, boolean isExclusive) {
      this.title = title;
      this.isExclusive = isExclusive;
    }

    String title() {
      return title;
    }

    /** Whether a row has at most one rule of the group. */
    boolean isExclusive() {
      return isExclusive;
    }
  }

  private static final String NUMBER = "(?<low>-?[0-9]+(?:[.][0-9]+)?)";

  /** The format of a rule's argument, which follows after a space. */
  private enum Form {
    EMPTY("", "()"),
    NUMBER(" NUMBER", " " + Rule.NUMBER),
    RANGE(" LOW..HIGH", " (?<low>-?[0-9]+)[.][.](?<high>-?[0-9]+)"),
    FIELD(" FIELD=NUMBER", " (?<key>\\w+)=" + Rule.NUMBER),
    KEY(" KEY=NUMBER", " (?<key>[\\w.]+)=" + Rule.NUMBER);

    private final String text;
    private final Pattern pattern;

    Form(String text, String regex) {
      this.text = text;
      this.pattern = Pattern.compile(regex);
    }

    /** Null if the text does not have this format. */
    Argument parse(String argument) {
      Matcher matcher = pattern.matcher(argument);
      if (!matcher.matches()) {
        return null;
      }
      if (this == EMPTY) {
        return new Argument("", Double.NaN, Double.NaN);
      }
      double low = Double.parseDouble(matcher.group("low"));
      return switch (this) {
        case RANGE -> new Argument("", low, Double.parseDouble(matcher.group("high")));
        case FIELD, KEY -> new Argument(matcher.group("key"), low, low);
        default -> new Argument("", low, low);
      };
    }
  }

  /**
   * The argument of a rule in a row.
   *
   * @param key the name of another raw value; empty for none
   * @param low the lower limit, or the number if it is the same as {@code high}; both are NaN for
   *     none
   */
  record Argument(String key, double low, double high) {}

  private final String id;
  private final Group group;
  private final Form form;
  private final String description;

  Rule(Group group, String description) {
    this(group, Form.EMPTY, description);
  }

  Rule(Group group, Form form, String description) {
    this.id = name().toLowerCase(Locale.ROOT);
    this.group = group;
    this.form = form;
    this.description = description;
  }

  /**
   * @param cell rules separated by {@code ;}
   * @throws IllegalArgumentException if the cell is not valid, with a message of one line that
   *     contains the rule and the allowed values
   */
  static Map<Rule, Argument> parse(String cell) {
    if (cell.isEmpty()) {
      return Map.of();
    }
    Map<Rule, Argument> rules = new EnumMap<>(Rule.class);
    for (String text : cell.split(";")) {
      int end = text.indexOf(' ');
      Rule rule = byId(end < 0 ? text : text.substring(0, end));
      Argument argument = rule.form.parse(end < 0 ? "" : text.substring(end));
      if (argument == null) {
        throw new IllegalArgumentException("rule " + text + ": expected " + rule.usage());
      }
      if (rules.containsKey(rule)) {
        throw new IllegalArgumentException("rule " + rule.id + " is repeated");
      }
      for (Rule other : rules.keySet()) {
        if (other.group == rule.group && rule.group.isExclusive()) {
          throw new IllegalArgumentException(
              "rules " + other.id + " and " + rule.id + ": only one of them is allowed");
        }
      }
      rules.put(rule, argument);
    }
    return rules;
  }

  private static Rule byId(String id) {
    return Arrays.stream(values())
        .filter(rule -> rule.id.equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown rule "
                        + id
                        + "; allowed: "
                        + Arrays.stream(values())
                            .map(rule -> rule.id)
                            .collect(Collectors.joining(", "))));
  }

  String id() {
    return id;
  }

  /** The id with the format of the argument. */
  String usage() {
    return id + form.text;
  }

  Group group() {
    return group;
  }

  /** A description for authors of tables, in Markdown. */
  String description() {
    return description;
  }
}
