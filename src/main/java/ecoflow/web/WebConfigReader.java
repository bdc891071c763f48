package ecoflow.web;

import ecoflow.text.YamlException;
import ecoflow.text.YamlSection;
import ecoflow.web.WebConfig.ClientAuth;
import ecoflow.web.WebConfig.Pem;
import ecoflow.web.WebConfig.Rate;
import ecoflow.web.WebConfig.Tls;
import java.math.BigDecimal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;

/**
 * Reads the web configuration format of Prometheus and its exporters. As in Prometheus, an unknown
 * field is an error, so that a typo does not leave the pages unprotected.
 */
final class WebConfigReader {

  private static final String TLS = "tls_server_config";
  private static final String HTTP = "http_server_config";
  private static final String USERS = "basic_auth_users";
  private static final String RATE = "rate_limit";
  private static final String FILE_SUFFIX = "_file";

  private static final Pattern BCRYPT =
      Pattern.compile("\\$2[aby]\\$(0[4-9]|[12][0-9]|3[01])\\$[./A-Za-z0-9]{53}");
  private static final Pattern DURATION = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ms|h|m|s)");

  /** Java's names of the versions by their names in the file, the oldest first. */
  private static final Map<String, String> VERSIONS = new LinkedHashMap<>();

  static {
    VERSIONS.put("TLS10", "TLSv1");
    VERSIONS.put("TLS11", "TLSv1.1");
    VERSIONS.put("TLS12", "TLSv1.2");
    VERSIONS.put("TLS13", "TLSv1.3");
  }

  private static final String MAX_VERSION = "TLS13";

  /** Always enabled with TLS 1.3, because {@code cipher_suites} configures only older versions. */
  private static final List<String> TLS13_CIPHERS =
      List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

  /**
   * The suites for TLS 1.2 that Prometheus's exporter toolkit accepts. Names of TLS 1.3 suites do
   * not contain a key exchange.
   */
  private static final Pattern TLS12_CIPHER =
      Pattern.compile(
          "TLS_ECDHE_(?:ECDSA|RSA)_WITH_"
              + "(?:AES_\\d+_GCM_SHA\\d+|CHACHA20_POLY1305_SHA256|AES_\\d+_CBC_SHA)");

  private static final Set<String> CURVES = Set.of("CurveP256", "CurveP384", "CurveP521", "X25519");

  private static final Map<String, ClientAuth> CLIENT_AUTH =
      Map.of(
          "", ClientAuth.NONE,
          "NoClientCert", ClientAuth.NONE,
          "RequestClientCert", ClientAuth.REQUEST,
          "RequireAnyClientCert", ClientAuth.REQUIRE_ANY,
          "RequireClientCert", ClientAuth.REQUIRE_ANY,
          "VerifyClientCertIfGiven", ClientAuth.VERIFY_IF_GIVEN,
          "RequireAndVerifyClientCert", ClientAuth.REQUIRE_AND_VERIFY);

  /** The supported headers with their valid values; an empty set accepts any value. */
  private static final Map<String, Set<String>> HEADERS =
      Map.of(
          "Content-Security-Policy", Set.of(),
          "X-Frame-Options", Set.of("deny", "sameorigin"),
          "X-Content-Type-Options", Set.of("nosniff"),
          "X-XSS-Protection", Set.of(),
          "Strict-Transport-Security", Set.of());

  private final Path directory;

  /**
   * @param directory the base directory of relative paths
   */
  private WebConfigReader(Path directory) {
    this.directory = directory;
  }

  static WebConfig read(String yaml, Path directory) throws WebConfigException {
    YamlSection root;
    try {
      root = YamlSection.read(yaml);
    } catch (YamlException e) {
      throw new WebConfigException(
          (e.line() > 0 ? "line " + e.line() + ": " : "") + e.getMessage());
    }
    try {
      return new WebConfigReader(directory).config(root);
    } catch (YamlException e) {
      // Without the line, because the message names the field.
      throw new WebConfigException(e.getMessage());
    }
  }

  private WebConfig config(YamlSection root) throws YamlException {
    WebConfig config =
        new WebConfig(
            tls(root.section(TLS)),
            headers(root.section(HTTP)),
            users(root.section(USERS)),
            rate(root.section(RATE)));
    root.rejectUnknownFields();
    return config;
  }

  private Optional<Tls> tls(YamlSection section) throws YamlException {
    Optional<Pem> certificate = pem(section, "cert");
    Optional<Pem> key = pem(section, "key");
    Optional<Pem> clientCa = pem(section, "client_ca");
    String clientAuthType = section.text("client_auth_type", "");
    ClientAuth clientAuth =
        section.oneOf("client_auth_type", clientAuthType, CLIENT_AUTH.keySet(), CLIENT_AUTH::get);
    List<String> sans = section.list("client_allowed_sans");
    List<String> protocols = protocols(section);
    List<String> ciphers = ciphers(section, protocols);
    for (String curve : section.list("curve_preferences")) {
      // Java cannot configure curves for a single server.
      section.oneOf("curve_preferences", curve, CURVES, curve::concat);
    }
    section.flag("prefer_server_cipher_suites");
    section.rejectUnknownFields();
    boolean isEnabled =
        certificate.isPresent()
            || key.isPresent()
            || clientCa.isPresent()
            || !clientAuthType.isEmpty();
    if (!isEnabled) {
      return Optional.empty();
    }
    if (certificate.isEmpty() || key.isEmpty()) {
      String missing = certificate.isEmpty() ? "cert" : "key";
      throw section.error(missing + FILE_SUFFIX + " is not set");
    }
    if (clientCa.isPresent() && clientAuth == ClientAuth.NONE) {
      throw section.error("client_ca_file requires a client_auth_type that requests certificates");
    }
    if (!sans.isEmpty() && !clientAuth.isRequired()) {
      throw section.error(
          "client_allowed_sans requires client_auth_type RequireAndVerifyClientCert or"
              + " RequireAnyClientCert");
    }
    return Optional.of(
        new Tls(certificate.get(), key.get(), clientAuth, clientCa, sans, protocols, ciphers));
  }

  private Optional<Pem> pem(YamlSection section, String name) throws YamlException {
    String text = section.text(name, "");
    String file = section.text(name + FILE_SUFFIX, "");
    if (!text.isEmpty() && !file.isEmpty()) {
      throw section.error(name + " and " + name + FILE_SUFFIX + " are both set");
    }
    if (!file.isEmpty()) {
      try {
        return Optional.of(new Pem(name + FILE_SUFFIX, Optional.of(directory.resolve(file)), ""));
      } catch (InvalidPathException e) {
        throw section.error(name + FILE_SUFFIX, "expected the path of a file");
      }
    }
    return text.isEmpty() ? Optional.empty() : Optional.of(new Pem(name, Optional.empty(), text));
  }

  private static List<String> protocols(YamlSection section) throws YamlException {
    List<String> order = List.copyOf(VERSIONS.keySet());
    String min = section.text("min_version", "TLS12");
    String max = section.text("max_version", MAX_VERSION);
    int from = section.oneOf("min_version", min, VERSIONS.keySet(), order::indexOf);
    int to = section.oneOf("max_version", max, VERSIONS.keySet(), order::indexOf);
    if (from > to) {
      throw section.error("min_version is higher than max_version");
    }
    return order.subList(from, to + 1).stream().map(VERSIONS::get).toList();
  }

  private static List<String> ciphers(YamlSection section, List<String> protocols)
      throws YamlException {
    List<String> ciphers = new ArrayList<>(section.list("cipher_suites"));
    if (ciphers.isEmpty()) {
      return List.of();
    }
    Set<String> known = knownCiphers();
    for (String cipher : ciphers) {
      if (!known.contains(cipher)) {
        throw section.error("cipher_suites", cipher + " is not supported by Java");
      }
      if (cipher.contains("_WITH_") && !TLS12_CIPHER.matcher(cipher).matches()) {
        throw section.error(
            "cipher_suites",
            cipher
                + " is not allowed: for TLS 1.2, expected ECDHE with AES-GCM, ChaCha20-Poly1305 or"
                + " AES-CBC-SHA");
      }
    }
    if (protocols.contains(VERSIONS.get(MAX_VERSION))) {
      TLS13_CIPHERS.stream().filter(cipher -> !ciphers.contains(cipher)).forEach(ciphers::add);
    }
    return List.copyOf(ciphers);
  }

  private static Set<String> knownCiphers() {
    try {
      return Set.of(SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java runtime supports TLS", e);
    }
  }

  private static Map<String, String> headers(YamlSection section) throws YamlException {
    // Not used: every client supports HTTP/1.1, which is sufficient for a few small pages.
    section.flag("http2");
    YamlSection headers = section.section("headers");
    section.rejectUnknownFields();
    Map<String, String> result = new LinkedHashMap<>();
    for (String name : headers.names()) {
      Set<String> values = HEADERS.get(name);
      if (values != null) {
        String value = headers.text(name, "");
        if (!values.isEmpty() && !value.isEmpty()) {
          headers.oneOf(name, value, values, value::concat);
        }
        if (value.chars().anyMatch(Character::isISOControl)) {
          throw headers.error(name, "expected a single line");
        }
        if (!value.isEmpty()) {
          result.put(name, value);
        }
      }
    }
    headers.rejectUnknownFields();
    return Map.copyOf(result);
  }

  private static Map<String, String> users(YamlSection section) throws YamlException {
    Map<String, String> users = new LinkedHashMap<>();
    for (String name : section.names()) {
      String hash = section.text(name, "");
      if (!BCRYPT.matcher(hash).matches()) {
        // The message omits the value, which could be a password.
        throw section.error(name, "expected a bcrypt hash, such as the output of htpasswd -nB");
      }
      if (name.contains(":")) {
        throw section.error("a user name contains a colon");
      }
      users.put(name, hash);
    }
    return Map.copyOf(users);
  }

  private static Optional<Rate> rate(YamlSection section) throws YamlException {
    Duration interval = duration(section, section.text("interval", "0"));
    String burst = section.text("burst", "0");
    section.rejectUnknownFields();
    if (!burst.matches("[0-9]{1,9}")) {
      throw section.error("burst", "expected a whole number");
    }
    if (interval.isZero()) {
      return Optional.empty();
    }
    if (Integer.parseInt(burst) == 0) {
      throw section.error("burst", "expected 1 or more, because 0 would reject all requests");
    }
    return Optional.of(new Rate(interval, Integer.parseInt(burst)));
  }

  private static Duration duration(YamlSection section, String text) throws YamlException {
    if (text.equals("0")) {
      return Duration.ZERO;
    }
    Matcher parts = DURATION.matcher(text);
    Duration sum = Duration.ZERO;
    int end = 0;
    while (parts.find() && parts.start() == end) {
      end = parts.end();
      long unit =
          switch (parts.group(2)) {
            case "ms" -> 1_000_000L;
            case "s" -> 1_000_000_000L;
            case "m" -> 60_000_000_000L;
            default -> 3_600_000_000_000L;
          };
      BigDecimal nanos = new BigDecimal(parts.group(1)).multiply(BigDecimal.valueOf(unit));
      sum = sum.plusNanos(nanos.min(BigDecimal.valueOf(Long.MAX_VALUE / 4)).longValue());
    }
    if (end == 0 || end != text.length()) {
      throw section.error("interval", "expected a duration such as 500ms or 1s");
    }
    return sum;
  }
}
