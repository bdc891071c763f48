package ecoflow.web;

import ecoflow.text.Lines;
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
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads the web configuration format of Prometheus and its exporters. As in Prometheus, an unknown
 * field is an error: a typing error must not leave the pages unprotected.
 */
final class WebConfigReader {

  private static final String TLS = "tls_server_config";
  private static final String HTTP = "http_server_config";
  private static final String USERS = "basic_auth_users";
  private static final String RATE = "rate_limit";
  private static final String FILE = "_file";

  private static final Pattern BCRYPT =
      Pattern.compile("\\$2[aby]\\$(0[4-9]|[12][0-9]|3[01])\\$[./A-Za-z0-9]{53}");
  private static final Pattern DURATION = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ms|h|m|s)");

  /** The names in Java of the names in the file, oldest version first. */
  private static final Map<String, String> VERSIONS = new LinkedHashMap<>();

  static {
    VERSIONS.put("TLS10", "TLSv1");
    VERSIONS.put("TLS11", "TLSv1.1");
    VERSIONS.put("TLS12", "TLSv1.2");
    VERSIONS.put("TLS13", "TLSv1.3");
  }

  private static final String NEWEST = "TLS13";

  /** The suites of TLS 1.3, because {@code cipher_suites} configures older versions only. */
  private static final List<String> CIPHERS_OF_NEWEST =
      List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

  /**
   * The suites of TLS 1.2 that the exporter toolkit accepts. Names of TLS 1.3 suites do not contain
   * a key exchange.
   */
  private static final Pattern FORWARD_SECRET =
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

  private final Path folder;

  /**
   * @param folder the base directory of relative paths
   */
  private WebConfigReader(Path folder) {
    this.folder = folder;
  }

  static WebConfig read(String yaml, Path folder) throws WebConfigException {
    Object content;
    try {
      content = new Load(LoadSettings.builder().build()).loadFromString(yaml);
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0);
      throw new WebConfigException("line " + line + ": " + Lines.oneLine(e.getProblem()));
    } catch (YamlEngineException e) {
      throw new WebConfigException("it is not YAML");
    }
    Section all = new Section("the file", content);
    WebConfigReader reader = new WebConfigReader(folder);
    WebConfig config =
        new WebConfig(
            reader.tls(all.section(TLS)),
            headers(all.section(HTTP)),
            users(all.section(USERS)),
            rate(all.section(RATE)));
    all.checkNoMore();
    return config;
  }

  private Optional<Tls> tls(Section section) throws WebConfigException {
    Optional<Pem> certificate = pem(section, "cert");
    Optional<Pem> key = pem(section, "key");
    Optional<Pem> clientCa = pem(section, "client_ca");
    String clientAuthType = section.text("client_auth_type", "");
    ClientAuth clientAuth =
        section.oneOf("client_auth_type", clientAuthType, CLIENT_AUTH.keySet(), CLIENT_AUTH::get);
    List<String> sans = section.texts("client_allowed_sans");
    List<String> protocols = protocols(section);
    List<String> ciphers = ciphers(section, protocols);
    for (String curve : section.texts("curve_preferences")) {
      // Java cannot configure curves for a single server.
      section.oneOf("curve_preferences", curve, CURVES, curve::concat);
    }
    section.flag("prefer_server_cipher_suites");
    section.checkNoMore();
    boolean isOn =
        certificate.isPresent()
            || key.isPresent()
            || clientCa.isPresent()
            || !clientAuthType.isEmpty();
    if (!isOn) {
      return Optional.empty();
    }
    if (certificate.isEmpty() || key.isEmpty()) {
      String missing = certificate.isEmpty() ? "cert" : "key";
      throw section.wrong("takes " + missing + FILE);
    }
    if (clientCa.isPresent() && clientAuth == ClientAuth.NONE) {
      throw section.wrong("has client_ca_file, but client_auth_type asks for no certificate");
    }
    if (!sans.isEmpty() && !clientAuth.isRequired()) {
      throw section.wrong(
          "takes client_allowed_sans only with client_auth_type RequireAndVerifyClientCert or"
              + " RequireAnyClientCert");
    }
    return Optional.of(
        new Tls(certificate.get(), key.get(), clientAuth, clientCa, sans, protocols, ciphers));
  }

  private Optional<Pem> pem(Section section, String name) throws WebConfigException {
    String text = section.text(name, "");
    String file = section.text(name + FILE, "");
    if (!text.isEmpty() && !file.isEmpty()) {
      throw section.wrong("has both " + name + " and " + name + FILE);
    }
    if (!file.isEmpty()) {
      try {
        return Optional.of(new Pem(name + FILE, Optional.of(folder.resolve(file)), ""));
      } catch (InvalidPathException e) {
        throw section.wrong(name + FILE + " takes the path of a file");
      }
    }
    return text.isEmpty() ? Optional.empty() : Optional.of(new Pem(name, Optional.empty(), text));
  }

  private static List<String> protocols(Section section) throws WebConfigException {
    List<String> order = List.copyOf(VERSIONS.keySet());
    String least = section.text("min_version", "TLS12");
    String most = section.text("max_version", NEWEST);
    int from = section.oneOf("min_version", least, VERSIONS.keySet(), order::indexOf);
    int to = section.oneOf("max_version", most, VERSIONS.keySet(), order::indexOf);
    if (from > to) {
      throw section.wrong("has a min_version above its max_version");
    }
    return order.subList(from, to + 1).stream().map(VERSIONS::get).toList();
  }

  private static List<String> ciphers(Section section, List<String> protocols)
      throws WebConfigException {
    List<String> ciphers = new ArrayList<>(section.texts("cipher_suites"));
    if (ciphers.isEmpty()) {
      return List.of();
    }
    Set<String> known = knownCiphers();
    for (String cipher : ciphers) {
      if (!known.contains(cipher)) {
        throw section.wrong("cipher_suites has " + cipher + ", which Java does not know");
      }
      if (cipher.contains("_WITH_") && !FORWARD_SECRET.matcher(cipher).matches()) {
        throw section.wrong(
            "cipher_suites has "
                + cipher
                + ": TLS 1.2 allows only suites with ECDHE, and AES-GCM, ChaCha20-Poly1305 or"
                + " AES-CBC-SHA");
      }
    }
    if (protocols.contains(VERSIONS.get(NEWEST))) {
      CIPHERS_OF_NEWEST.stream().filter(cipher -> !ciphers.contains(cipher)).forEach(ciphers::add);
    }
    return List.copyOf(ciphers);
  }

  private static Set<String> knownCiphers() {
    try {
      return Set.of(SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has TLS", e);
    }
  }

  private static Map<String, String> headers(Section section) throws WebConfigException {
    // HTTP/2 is not supported: HTTP/1.1 is sufficient for a few small pages, and every HTTP/2
    // client supports it.
    section.flag("http2");
    Section headers = section.section("headers");
    section.checkNoMore();
    Map<String, String> found = new LinkedHashMap<>();
    for (String name : headers.names()) {
      Set<String> values = HEADERS.get(name);
      if (values != null) {
        String value = headers.text(name, "");
        if (!values.isEmpty() && !value.isEmpty()) {
          headers.oneOf(name, value, values, value::concat);
        }
        if (value.chars().anyMatch(Character::isISOControl)) {
          throw headers.wrong(name + " takes one line");
        }
        if (!value.isEmpty()) {
          found.put(name, value);
        }
      }
    }
    headers.checkNoMore();
    return Map.copyOf(found);
  }

  private static Map<String, String> users(Section section) throws WebConfigException {
    Map<String, String> users = new LinkedHashMap<>();
    for (String name : section.names()) {
      String hash = section.text(name, "");
      if (!BCRYPT.matcher(hash).matches()) {
        // The message does not contain the hash.
        throw section.wrong(Lines.oneLine(name) + " takes a bcrypt hash, as htpasswd -nB makes it");
      }
      if (name.contains(":")) {
        throw section.wrong("has a user name with a colon");
      }
      users.put(name, hash);
    }
    return Map.copyOf(users);
  }

  private static Optional<Rate> rate(Section section) throws WebConfigException {
    Duration interval = duration(section, section.text("interval", "0"));
    String burst = section.text("burst", "0");
    section.checkNoMore();
    if (!burst.matches("[0-9]{1,9}")) {
      throw section.wrong("burst takes a whole number");
    }
    if (interval.isZero()) {
      return Optional.empty();
    }
    if (Integer.parseInt(burst) == 0) {
      throw section.wrong("takes a burst of 1 or more: with 0 no request would be answered");
    }
    return Optional.of(new Rate(interval, Integer.parseInt(burst)));
  }

  private static Duration duration(Section section, String text) throws WebConfigException {
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
      throw section.wrong("interval takes a time such as 500ms or 1s");
    }
    return sum;
  }

  /**
   * A mapping in the file. Each of its fields must be read, otherwise it is reported as unknown.
   */
  private static final class Section {

    private final String name;
    private final Map<String, Object> fields = new LinkedHashMap<>();
    private final Set<String> left = new TreeSet<>();

    Section(String name, Object content) throws WebConfigException {
      this.name = name;
      if (content instanceof Map<?, ?> map) {
        map.forEach((key, value) -> fields.put(String.valueOf(key), value));
        left.addAll(fields.keySet());
      } else if (content != null) {
        throw wrong("takes fields");
      }
    }

    Set<String> names() {
      return fields.keySet();
    }

    Section section(String field) throws WebConfigException {
      left.remove(field);
      return new Section(field, fields.get(field));
    }

    String text(String field, String byDefault) throws WebConfigException {
      left.remove(field);
      Object value = fields.get(field);
      if (value instanceof Map || value instanceof Iterable) {
        throw wrong(Lines.oneLine(field) + " takes a text");
      }
      return value == null ? byDefault : String.valueOf(value);
    }

    void flag(String field) throws WebConfigException {
      oneOf(field, text(field, "true"), Set.of("true", "false"), Boolean::valueOf);
    }

    List<String> texts(String field) throws WebConfigException {
      left.remove(field);
      Object value = fields.get(field);
      if (value == null) {
        return List.of();
      }
      if (value instanceof List<?> list
          && list.stream().noneMatch(item -> item instanceof Map || item instanceof List)) {
        return list.stream().map(String::valueOf).toList();
      }
      throw wrong(field + " takes a list");
    }

    <T> T oneOf(String field, String value, Set<String> allowed, Function<String, T> meaning)
        throws WebConfigException {
      if (!allowed.contains(value)) {
        Set<String> words = new TreeSet<>(allowed);
        words.remove("");
        throw wrong(field + " takes " + String.join(", ", words));
      }
      return meaning.apply(value);
    }

    void checkNoMore() throws WebConfigException {
      if (!left.isEmpty()) {
        throw wrong("has no field " + Lines.oneLine(String.join(", ", left)));
      }
    }

    WebConfigException wrong(String what) {
      return new WebConfigException(name + " " + what);
    }
  }
}
