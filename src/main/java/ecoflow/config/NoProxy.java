package ecoflow.config;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The hosts that are accessed without a proxy. Names are not resolved: an address or a network in
 * the list applies only to hosts that are addresses.
 *
 * @param unusable entries that cannot match any host
 */
public record NoProxy(List<Entry> entries, List<String> unusable) {

  private static final int ANY_PORT = 0;
  private static final Pattern PORT = Pattern.compile("([^:]+|\\[[^]]*]):([0-9]{1,5})");
  private static final Pattern NAME = Pattern.compile("[a-z0-9_-]+(\\.[a-z0-9_-]+)*");
  private static final Pattern IPV4 =
      Pattern.compile("((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\\.(?!$)|$)){4}");
  private static final Pattern IPV6 = Pattern.compile("([0-9a-f:.]*:[0-9a-f:.]*)(%.*)?");
  private static final Pattern NETWORK = Pattern.compile("(.+)/([0-9]{1,3})");

  /** An entry of the list. */
  public interface Entry {
    /**
     * @param address the bytes of the host if the host is an address
     */
    boolean matches(String host, Optional<byte[]> address, int port);
  }

  /**
   * @param list the value of NO_PROXY
   */
  static NoProxy of(String list) {
    List<Entry> entries = new ArrayList<>();
    List<String> unusable = new ArrayList<>();
    for (String entry : list.split("[,\\s]+")) {
      if (!entry.isEmpty()) {
        entry(entry.toLowerCase(Locale.ROOT))
            .ifPresentOrElse(entries::add, () -> unusable.add(entry));
      }
    }
    return new NoProxy(List.copyOf(entries), List.copyOf(unusable));
  }

  boolean contains(String host, int port) {
    String name = withoutLastDot(ProxyUrl.unbracketed(host).toLowerCase(Locale.ROOT));
    Optional<byte[]> address = address(name);
    return entries.stream().anyMatch(entry -> entry.matches(name, address, port));
  }

  private static Optional<Entry> entry(String text) {
    Matcher withPort = PORT.matcher(text);
    boolean hasPort = withPort.matches();
    String host = hasPort ? withPort.group(1) : text;
    int port = hasPort ? Integer.parseInt(withPort.group(2)) : ANY_PORT;
    return hosts(ProxyUrl.unbracketed(host))
        .map(
            hosts ->
                (name, address, targetPort) ->
                    (port == ANY_PORT || port == targetPort)
                        && hosts.matches(name, address, targetPort));
  }

  private static Optional<Entry> hosts(String text) {
    if (text.equals("*")) {
      return Optional.of((host, address, port) -> true);
    }
    Matcher network = NETWORK.matcher(text);
    if (network.matches()) {
      int bits = Integer.parseInt(network.group(2));
      return address(network.group(1))
          .filter(first -> bits <= first.length * Byte.SIZE)
          .map(first -> network(first, bits));
    }
    Optional<byte[]> single = address(text);
    if (single.isPresent()) {
      return single.map(first -> network(first, first.length * Byte.SIZE));
    }
    String name = withoutLastDot(text.replaceFirst("^\\*?\\.", ""));
    return NAME.matcher(name).matches()
        ? Optional.of(
            (host, address, port) ->
                address.isEmpty() && (host.equals(name) || host.endsWith("." + name)))
        : Optional.empty();
  }

  private static Entry network(byte[] first, int bits) {
    int hostBits = first.length * Byte.SIZE - bits;
    BigInteger prefix = new BigInteger(1, first).shiftRight(hostBits);
    return (host, address, port) ->
        address
            .filter(other -> other.length == first.length)
            .map(other -> new BigInteger(1, other).shiftRight(hostBits).equals(prefix))
            .orElse(false);
  }

  /**
   * The bytes of an IPv4 or IPv6 address; empty for a name. Java parses addresses without a lookup.
   * Netty's parser would initialise logging before LOG_LEVEL is known.
   */
  private static Optional<byte[]> address(String host) {
    Matcher ipv6 = IPV6.matcher(host);
    boolean isIpv6 = ipv6.matches();
    if (!isIpv6 && !IPV4.matcher(host).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.getByName(isIpv6 ? ipv6.group(1) : host).getAddress());
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  private static String withoutLastDot(String name) {
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }
}
