package ecoflow.payload;

import ecoflow.account.Account;
import ecoflow.quota.Quotas;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/**
 * Maps the keys of a developer push to the keys of quota/all, bean {@code pushPrefixes}. A key of
 * quota/all starts with a prefix for the part of the device. A push identifies the part in its
 * envelope, by a typeCode, an address, a command or a module, which prefixes.csv maps to prefixes.
 * Unknown parts have their own prefixes, so that two parts never share a series.
 */
final class PushPrefixes {

  private static final String TABLE = "/ecoflow/payload/prefixes.csv";
  private static final String HEAD = "by,code,serial,prefix";
  private static final String TYPE = "typeCode";
  private static final String ADDRESS = "addr";
  private static final String COMMAND = "command";
  private static final String MODULE = "moduleType";

  /** The prefix of a part that cannot be identified: its values are dropped. */
  private static final String DROP = "drop";

  /**
   * The placeholder in a prefix for the number of the battery pack with the serial number in the
   * push.
   */
  private static final String PACK = "{pack}";

  private static final String PACK_SERIAL = "packSn";
  private static final int MAX_PACKS = 32;
  private static final int MAX_CODE_LENGTH = 40;

  /**
   * The prefix of PowerStream and Smart Plug. Pushes recorded by other projects already contain it
   * in their keys.
   */
  private static final Pattern COMMAND_PREFIX = Pattern.compile("[0-9]+_[0-9]+\\..*");

  /** First-generation devices send numbers as strings. */
  private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,15}(?:\\.[0-9]{1,15})?");

  /** Zero as a JSON number or as a string. */
  private static final Pattern ZERO = Pattern.compile("-?0+(?:\\.0*)?");

  private static final Set<String> ENVELOPE =
      Set.of(
          "id",
          "version",
          "time",
          "timestamp",
          "from",
          "operateType",
          MODULE,
          "moduleSn",
          "needAck",
          TYPE,
          ADDRESS,
          "cmdId",
          "cmdFunc",
          "cmdSet",
          "src",
          "dest",
          "data",
          "param",
          "params");

  /**
   * A line of the table.
   *
   * @param serial the prefix of the serial numbers for which the line applies; empty for all
   */
  private record Row(String by, String code, String serial, String prefix) {}

  private final Map<String, List<Row>> rows = new HashMap<>();
  private final String packStem;
  private final Pattern packKey;
  private final Function<String, Optional<Account>> accountOf;
  private final BiConsumer<String, String> countUnknown;
  private final Map<String, Map<String, String>> packs = new ConcurrentHashMap<>();

  /**
   * @param accountOf returns the account of a device; empty for a device of another source
   * @param countUnknown receives the kind of identifier and the unknown identifier of a part
   */
  PushPrefixes(
      Function<String, Optional<Account>> accountOf, BiConsumer<String, String> countUnknown) {
    this.accountOf = accountOf;
    this.countUnknown = countUnknown;
    String stem = "";
    for (Row row : table()) {
      rows.computeIfAbsent(row.by() + " " + row.code(), unused -> new ArrayList<>()).add(row);
      int pack = row.prefix().indexOf(PACK);
      if (pack >= 0) {
        stem = row.prefix().substring(0, pack);
      }
    }
    this.packStem = stem;
    this.packKey = Pattern.compile(Pattern.quote(stem) + "([0-9]{1,3})\\." + PACK_SERIAL);
  }

  private static List<Row> table() {
    try (InputStream in = PushPrefixes.class.getResourceAsStream(TABLE)) {
      List<String> lines =
          new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().skip(1).toList();
      return lines.stream()
          .map(line -> line.split(",", HEAD.split(",").length))
          .map(cells -> new Row(cells[0], cells[1], cells[2], cells[3]))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(TABLE, e);
    }
  }

  /**
   * Route step: replaces a push with a JSON object that has the values in {@code params} under the
   * keys of quota/all. Counts unknown parts, and stores the number of a battery pack if the push
   * contains it. Does not change other messages.
   */
  public void addPrefixes(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(Quotas.DEVICE, "", String.class);
    // With several accounts, the step also receives pushes of app accounts.
    boolean isAppPush =
        accountOf.apply(serial).filter(account -> account.mode().usesAccount()).isPresent();
    if (Quotas.PUSH.equals(message.getHeader(Quotas.SOURCE)) && !isAppPush) {
      boolean isCounted = Quotas.isCounted(message);
      message.setBody(
          withPrefixes(
              message.getBody(Map.class), serial, isCounted ? countUnknown : (by, code) -> {}));
    }
  }

  /**
   * Route step: stores the numbers of the battery packs, which a message with all values contains.
   */
  public void storePackNumbers(Exchange exchange) {
    Message message = exchange.getMessage();
    String serial = message.getHeader(Quotas.DEVICE, "", String.class);
    if (message.getBody() instanceof Map<?, ?> quotas) {
      quotas.forEach(
          (key, value) -> {
            Matcher pack = packKey.matcher(String.valueOf(key));
            if (pack.matches() && value instanceof String packSerial) {
              storePackNumber(serial, packSerial, pack.group(1));
            }
          });
    }
  }

  /** Forgets a device that is no longer served. */
  void remove(String serial) {
    packs.remove(serial);
  }

  private void storePackNumber(String serial, String packSerial, String number) {
    Map<String, String> known = packs.computeIfAbsent(serial, unused -> new ConcurrentHashMap<>());
    if (known.size() < MAX_PACKS) {
      // A number belongs to the last pack that used it.
      known.values().remove(number);
      known.put(packSerial, number);
    }
  }

  /**
   * @param unknown receives the kind of identifier and the identifier of an unknown part
   */
  Map<?, ?> withPrefixes(Map<?, ?> push, String serial, BiConsumer<String, String> unknown) {
    Map<?, ?> body = JsonMessage.body(push);
    if (body.isEmpty()) {
      body = flat(push);
    }
    if (body.isEmpty()) {
      // The next step reports the error.
      return push;
    }
    Map<String, Object> values = new LinkedHashMap<>();
    boolean byModule = hasOnlyModule(push);
    String prefix = new Part(push, body, serial, unknown).prefix(byModule);
    if (prefix != null) {
      boolean isWithoutPrefix = prefix.isEmpty();
      body.forEach((key, value) -> put(values, prefix, String.valueOf(key), value, byModule));
      if (isWithoutPrefix) {
        values.replaceAll(PushPrefixes::parseNumber);
      }
    }
    // Empty only for an unknown part, which is counted separately and is not a message error.
    return Map.of("params", values);
  }

  private static Map<?, ?> flat(Map<?, ?> push) {
    Map<Object, Object> values = new LinkedHashMap<>(push);
    values.keySet().removeAll(ENVELOPE);
    return JsonMessage.hasValues(values) ? values : Map.of();
  }

  private static void put(
      Map<String, Object> values, String prefix, String key, Object value, boolean byModule) {
    boolean hasPrefix =
        key.startsWith(prefix)
            || COMMAND_PREFIX.matcher(key).matches()
            || (byModule && key.indexOf('.') >= 0);
    values.put(hasPrefix ? key : prefix + key, value);
  }

  private static Object parseNumber(String key, Object value) {
    return value instanceof String text && key.indexOf('.') > 0 && NUMBER.matcher(text).matches()
        ? Double.valueOf(text)
        : value;
  }

  private static boolean hasOnlyModule(Map<?, ?> push) {
    return code(push, TYPE).isEmpty()
        && code(push, ADDRESS).isEmpty()
        && command(push).isEmpty()
        && code(push, "moduleSn").isEmpty();
  }

  /** One push whose prefix is determined. */
  private final class Part {

    private final Map<?, ?> push;
    private final Map<?, ?> body;
    private final String serial;
    private final BiConsumer<String, String> countUnknown;

    Part(Map<?, ?> push, Map<?, ?> body, String serial, BiConsumer<String, String> countUnknown) {
      this.push = push;
      this.body = body;
      this.serial = serial;
      this.countUnknown = countUnknown;
    }

    /** The prefix; null if the part is unknown and the values must be dropped. */
    String prefix(boolean byModule) {
      String type = code(push, TYPE);
      String address = code(push, ADDRESS);
      String command = command(push);
      String module = code(push, MODULE);
      String moduleSerial = code(push, "moduleSn");
      if (!type.isEmpty()) {
        String known = find(TYPE, type, serial);
        return known == null ? unknown("type_code", type) : known;
      }
      String byAddress = address.isEmpty() ? null : find(ADDRESS, address, serial);
      if (byAddress != null) {
        storePackNumberOfPush(byAddress);
        return byAddress;
      }
      if (!command.isEmpty()) {
        String known = find(COMMAND, command, serial);
        return known == null ? unknown(COMMAND, command) : withPack(known);
      }
      if (!address.isEmpty()) {
        return unknown(ADDRESS, address);
      }
      if (!moduleSerial.isEmpty()) {
        return sanitised(module) + "." + sanitised(moduleSerial) + ".";
      }
      return byModule ? byModule(module) : "";
    }

    private String byModule(String module) {
      String known = module.isEmpty() ? null : find(MODULE, module, serial);
      if (known == null) {
        return "";
      }
      if (!known.equals(DROP)) {
        return known;
      }
      if (body.keySet().stream().anyMatch(key -> String.valueOf(key).indexOf('.') >= 0)) {
        return "";
      }
      countUnknown.accept("module_type", sanitised(module));
      return null;
    }

    private String unknown(String by, String code) {
      String name = sanitised(code);
      countUnknown.accept(by, name);
      return name + ".";
    }

    private String withPack(String prefix) {
      if (!prefix.contains(PACK)) {
        return prefix;
      }
      String number = packs.getOrDefault(serial, Map.of()).get(text(body, PACK_SERIAL));
      if (number == null) {
        countUnknown.accept("pack", "other");
        return null;
      }
      return prefix.replace(PACK, number);
    }

    private void storePackNumberOfPush(String prefix) {
      String packSerial = text(body, PACK_SERIAL);
      if (!packSerial.isEmpty() && prefix.startsWith(packStem) && !packStem.isEmpty()) {
        storePackNumber(
            serial, packSerial, prefix.substring(packStem.length(), prefix.length() - 1));
      }
    }
  }

  /**
   * The prefix in the row with the longest matching prefix of serial numbers; null if no row
   * matches.
   */
  private String find(String by, String code, String serial) {
    String prefix = null;
    int length = -1;
    for (Row row : rows.getOrDefault(by + " " + code, List.of())) {
      if (serial.startsWith(row.serial()) && row.serial().length() > length) {
        prefix = row.prefix();
        length = row.serial().length();
      }
    }
    return prefix;
  }

  private static String command(Map<?, ?> push) {
    return push.get("cmdFunc") instanceof Number func
            && push.get("cmdId") instanceof Number id
            && func.longValue() != 0
            && id.longValue() != 0
        ? func.longValue() + "/" + id.longValue()
        : "";
  }

  /** The value of a member of the envelope; empty for 0, which denotes an unused member. */
  private static String code(Map<?, ?> push, String key) {
    String code = text(push, key);
    return ZERO.matcher(code).matches() ? "" : code;
  }

  private static String text(Map<?, ?> map, String key) {
    Object value = map.get(key);
    return value instanceof String || value instanceof Number ? String.valueOf(value).strip() : "";
  }

  /** Replaces characters that are not allowed in keys. */
  private static String sanitised(String code) {
    String text = code.replaceAll("[^A-Za-z0-9_]", "_");
    return text.substring(0, Math.min(text.length(), MAX_CODE_LENGTH));
  }
}
