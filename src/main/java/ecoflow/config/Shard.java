package ecoflow.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of several processes that share the accounts of an accounts file.
 *
 * @param number from 0 to {@code count} - 1
 * @param count the number of processes
 */
public record Shard(int number, int count) {

  public static final String VARIABLE = "ECOFLOW_SHARD";

  private static final String HOST_NAME = "HOSTNAME";
  private static final String AUTO = "auto";
  private static final int MAX_COUNT = 1_000;
  private static final Pattern VALUE = Pattern.compile("(?i)(auto|\\d{1,4})/(\\d{1,4})");
  private static final String ALLOWED =
      "the number of this shard and the number of shards (1 to "
          + MAX_COUNT
          + "), such as 0/8 to 7/8, or auto/8";

  /** The first label of a host name, with a number after its last "-". */
  private static final Pattern ORDINAL = Pattern.compile("[^.]*-(\\d{1,4})(?:\\..*)?");

  /**
   * The shard in the variables; empty if this process serves all accounts.
   *
   * @throws ConfigException if the variable is not valid
   */
  public static Optional<Shard> from(Map<String, String> variables) throws ConfigException {
    return read(new Environment(variables));
  }

  static Optional<Shard> read(Environment env) throws ConfigException {
    Optional<String> value = env.text(VARIABLE);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    Matcher parts = VALUE.matcher(value.get());
    if (!parts.matches()) {
      throw env.invalid(VARIABLE, value.get(), ALLOWED);
    }
    int count = Integer.parseInt(parts.group(2));
    if (count < 1 || count > MAX_COUNT) {
      throw env.invalid(VARIABLE, value.get(), ALLOWED);
    }
    if (env.given(Settings.ACCOUNTS_FILE).isEmpty()) {
      throw new ConfigException(
          VARIABLE
              + "="
              + value.get()
              + " requires "
              + Settings.ACCOUNTS_FILE
              + ", because the accounts of that file are divided among the shards");
    }
    if (parts.group(1).equalsIgnoreCase(AUTO)) {
      return Optional.of(ofHost(env, count));
    }
    int number = Integer.parseInt(parts.group(1));
    if (number >= count) {
      throw env.invalid(VARIABLE, value.get(), range("", count));
    }
    return Optional.of(new Shard(number, count));
  }

  /** The shard whose number is the ordinal in the host name, as in a StatefulSet. */
  private static Shard ofHost(Environment env, int count) throws ConfigException {
    Optional<String> variable = env.given(HOST_NAME);
    String host = variable.isPresent() ? variable.get() : localHost(count);
    Matcher ordinal = ORDINAL.matcher(host);
    int number = ordinal.matches() ? Integer.parseInt(ordinal.group(1)) : count;
    if (number >= count) {
      throw Environment.bad(
          VARIABLE
              + "="
              + AUTO
              + "/"
              + count
              + ": "
              + (variable.isPresent() ? HOST_NAME : "the host name"),
          host,
          "a name with an ordinal, " + range("NAME-", count));
    }
    Shard shard = new Shard(number, count);
    env.note(
        new Variable(
            VARIABLE, shard.label(), Variable.ENVIRONMENT + ", " + AUTO + " from the host name"));
    return shard;
  }

  private static String localHost(int count) throws ConfigException {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      throw new ConfigException(
          VARIABLE
              + "="
              + AUTO
              + "/"
              + count
              + " requires a host name, but this machine has none that can be resolved: set "
              + HOST_NAME);
    }
  }

  private static String range(String prefix, int count) {
    String suffix = prefix.isEmpty() ? "/" + count : "";
    String first = prefix + 0 + suffix;
    return count == 1 ? first : first + " to " + prefix + (count - 1) + suffix;
  }

  /** The value of the variable for this shard. */
  public String label() {
    return number + "/" + count;
  }

  /** Whether this shard serves the account. */
  public boolean serves(String account) {
    return of(account).equals(this);
  }

  /** The shard that serves an account. */
  public Shard of(String account) {
    return new Shard(jump(hash(account), count), count);
  }

  /**
   * FNV-1a with 64 bits over UTF-8, as kube-state-metrics applies it to object IDs. It must never
   * change, because different versions run at the same time during an update.
   */
  private static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (octet & 0xff)) * 0x100000001b3L;
    }
    return hash;
  }

  /**
   * Jump consistent hash (Lamping and Veach, 2014): with one more bucket, 1/{@code buckets} of the
   * keys move, all of them to the new bucket.
   */
  private static int jump(long key, int buckets) {
    long state = key;
    long bucket = -1;
    long next = 0;
    while (next < buckets) {
      bucket = next;
      state = state * 2862933555777941757L + 1;
      next = (long) ((bucket + 1) * ((double) (1L << 31) / ((state >>> 33) + 1)));
    }
    return (int) bucket;
  }
}
