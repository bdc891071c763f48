package ecoflow.cloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;

/**
 * A simulation of EcoFlow's cloud on loopback: the HTTPS API and the MQTT broker, with any number
 * of accounts and devices. It responds like the real cloud, except for the faults that a test
 * requests. Methods for one account apply to the default account, which always exists; {@link
 * #addAccount} adds others.
 */
public final class SimulatedCloud implements AutoCloseable {

  private static final Pattern GET_TOPIC =
      Pattern.compile("/app/(?<user>[^/]+)/(?<serial>[^/]+)/thing/property/get");
  private static final String APP_CLIENT = "ANDROID_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}_";

  static {
    // Must run before the broker creates its loggers.
    setLogLevel("io.moquette", "warn");
    // Logs a stack trace for every client that rejects a certificate or disconnects.
    setLogLevel("io.moquette.broker.NewNettyMQTTHandler", "off");
  }

  private final SimulatedAccount account;
  private final CloudCertificates certificates = new CloudCertificates();
  private final Path caFile;
  private final CloudHttp http;
  private final CloudBroker broker;

  // All accounts, by what identifies them in requests and connections.
  private final Map<String, SimulatedAccount> byEmail = new ConcurrentHashMap<>();
  private final Map<String, SimulatedAccount> byUserId = new ConcurrentHashMap<>();
  private final Map<String, SimulatedAccount> byAccessKey = new ConcurrentHashMap<>();
  private final Map<String, SimulatedAccount> byToken = new ConcurrentHashMap<>();

  /** By all broker users, also earlier ones, whose clients can still be connected. */
  private final Map<String, SimulatedAccount> byBrokerUser = new ConcurrentHashMap<>();

  private final Map<String, SimulatedAccount> byClientId = new ConcurrentHashMap<>();

  /**
   * The accounts to which a device was added, by serial number. It continues to publish to accounts
   * from which it was removed.
   */
  private final Map<String, Set<SimulatedAccount>> owners = new ConcurrentHashMap<>();

  private volatile Optional<MqttCredentials> otherBrokerLogin = Optional.empty();
  private volatile String nickname = "Owner";
  private volatile String mqttUrl = "localhost";
  private volatile OptionalInt otherMqttPort = OptionalInt.empty();
  private volatile boolean anyClientId;

  public static SimulatedCloud start() {
    return start(CloudOptions.DEFAULT);
  }

  public static SimulatedCloud start(CloudOptions options) {
    try {
      return new SimulatedCloud(options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SimulatedCloud(CloudOptions options) throws IOException {
    account = addAccount(options.account());
    caFile = Files.createTempFile("simulated-cloud-ca", ".pem");
    caFile.toFile().deleteOnExit();
    Files.writeString(caFile, certificates.authorityPem());
    broker =
        new CloudBroker(
            options.mqttPort(),
            certificates.server(options.mqttCertificate()),
            this::acceptsLogin,
            this::receive);
    broker.mayRead = this::mayRead;
    broker.closesClient = clientId -> byClientId.get(clientId).closesConnections();
    broker.start();
    http = new CloudHttp(this, options.httpPort(), certificates.server(options.httpCertificate()));
  }

  @Override
  public void close() {
    http.close();
    // The broker closes its sockets immediately, and then takes two seconds to shut down. Tests do
    // not wait for it.
    Thread stop = new Thread(broker::stop, "simulated-cloud-stop");
    stop.setDaemon(true);
    stop.start();
  }

  /** The credentials of the default account. */
  public CloudAccount account() {
    return account.login();
  }

  public SimulatedAccount defaultAccount() {
    return account;
  }

  /** Adds an account with other credentials than those of the existing accounts. */
  public SimulatedAccount addAccount(CloudAccount login) {
    SimulatedAccount added = new SimulatedAccount(this, login);
    if (byEmail.putIfAbsent(login.email(), added) != null
        || byUserId.putIfAbsent(login.userId(), added) != null
        || byAccessKey.putIfAbsent(login.accessKey(), added) != null) {
      throw new IllegalArgumentException("a second account " + login.email());
    }
    otherBrokerLogin.ifPresent(added::setCredentials);
    addBrokerUsers(added);
    return added;
  }

  /** Host and port of the HTTPS API. */
  public String apiHost() {
    return "localhost:" + httpPort();
  }

  public int httpPort() {
    return http.port();
  }

  public int mqttPort() {
    return broker.port();
  }

  /** PEM file with the CA that clients of this cloud must trust. */
  public Path caFile() {
    return caFile;
  }

  /** For clients that trust only this cloud. */
  public SSLContext clientTls() {
    return certificates.client();
  }

  public SimulatedCloud add(SimulatedDevice... added) {
    account.add(added);
    return this;
  }

  /** Removes a device from all accounts. */
  public void remove(String serial) {
    accounts().forEach(owner -> owner.remove(serial));
  }

  /** The devices of all accounts. */
  public Collection<SimulatedDevice> devices() {
    return accounts().stream()
        .map(SimulatedAccount::devices)
        .flatMap(Collection::stream)
        .distinct()
        .toList();
  }

  /** A device of any account. */
  public Optional<SimulatedDevice> device(String serial) {
    return serial == null
        ? Optional.empty()
        : owners.getOrDefault(serial, Set.of()).stream()
            .flatMap(owner -> owner.device(serial).stream())
            .findFirst();
  }

  private Collection<SimulatedAccount> accounts() {
    return byEmail.values();
  }

  void connect(SimulatedDevice device, SimulatedAccount owner) {
    Set<SimulatedAccount> ofDevice =
        owners.computeIfAbsent(device.serial(), unused -> ConcurrentHashMap.newKeySet());
    ofDevice.add(owner);
    device.connectTo(
        (topic, payload) -> {
          if (topic.contains(SimulatedDevice.ACCOUNT)) {
            ofDevice.forEach(
                one ->
                    broker.publish(
                        topic.replace(SimulatedDevice.ACCOUNT, one.openAccount()), payload));
          } else {
            broker.publish(topic, payload);
          }
        });
  }

  // HTTP

  public Faults faults() {
    return http.faults;
  }

  /** All requests, oldest first. */
  public List<CloudRequest> requests() {
    return List.copyOf(http.requests);
  }

  public List<CloudRequest> requests(String path) {
    return http.requests.stream().filter(request -> request.path().equals(path)).toList();
  }

  /** The requests to a path about one device, oldest first. */
  public List<CloudRequest> requests(String path, SimulatedDevice device) {
    return requests(path, device.serial());
  }

  public List<CloudRequest> requests(String path, String serial) {
    return requests(path).stream()
        .filter(request -> serial.equals(request.query().get("sn")))
        .toList();
  }

  /**
   * Clears the history of {@link #requests}, {@link #messages} and similar methods, which grows in
   * long runs.
   */
  public void clearHistory() {
    http.requests.clear();
    broker.messages.clear();
    broker.connects.clear();
    broker.subscriptions.clear();
  }

  /** The name in the login answer; null omits the field. */
  public void setNickname(String nickname) {
    this.nickname = nickname;
  }

  /** The broker's address in the certification answer: a host, or a URL with a scheme. */
  public void setMqttUrl(String mqttUrl) {
    this.mqttUrl = mqttUrl;
  }

  /** Sends app clients of all accounts to another broker than this cloud's own, with this login. */
  public void setBroker(String host, int port, String user, String password) {
    mqttUrl = host;
    otherMqttPort = OptionalInt.of(port);
    MqttCredentials login = new MqttCredentials(user, password);
    otherBrokerLogin = Optional.of(login);
    accounts().forEach(one -> one.setCredentials(login));
  }

  /** Writes the key and the certificate of a server of this cloud as PEM files. */
  public void writeIdentity(ServerCertificate kind, Path key, Path certificate) {
    CloudCertificates.Identity identity = certificates.server(kind);
    try {
      Files.writeString(key, identity.keyPem());
      Files.writeString(certificate, identity.certificatePem());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Rejects all tokens issued so far. */
  public void expireTokens() {
    byToken.clear();
  }

  void expireTokens(SimulatedAccount of) {
    byToken.values().removeIf(of::equals);
  }

  /** Closes all HTTPS connections and refuses new ones. */
  public void stopHttp() {
    http.stop();
  }

  /** Starts the HTTPS server again, on the same port. */
  public void startHttp() {
    try {
      http.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // MQTT

  /** All messages that clients published, oldest first. */
  public List<ReceivedMessage> messages() {
    return List.copyOf(broker.messages);
  }

  /** All logins with a user name, oldest first. */
  public List<ConnectAttempt> connects() {
    return List.copyOf(broker.connects);
  }

  /** The topic of every accepted subscription, oldest first. */
  public List<String> subscriptions() {
    return List.copyOf(broker.subscriptions);
  }

  public int openConnections() {
    return broker.openConnections();
  }

  public int maxOpenConnections() {
    return broker.maxOpenConnections();
  }

  /** The connection events with time and client, in the order in which the broker reports them. */
  public List<String> connectionEvents() {
    return List.copyOf(broker.connectionEvents);
  }

  public String certificateAccount() {
    return account.certificateAccount();
  }

  public String certificatePassword() {
    return account.certificatePassword();
  }

  /** Changes the broker login; connected clients stay until they are kicked. */
  public void rotateCredentials() {
    account.rotateCredentials();
  }

  /** The account name at the broker for developer keys. */
  public String openAccount() {
    return account.openAccount();
  }

  /** Changes the broker login for developer keys; connected clients stay until they are kicked. */
  public void rotateOpenCredentials() {
    account.rotateOpenCredentials();
  }

  /** Whether the broker refuses the login from the certification of developer keys. */
  public void setOpenRefused(boolean openRefused) {
    account.setOpenRefused(openRefused);
  }

  public void kickClients() {
    broker.kickClients(clientId -> true);
  }

  void kickClients(SimulatedAccount of) {
    broker.kickClients(clientId -> byClientId.get(clientId) == of);
  }

  public void stopBroker() {
    broker.stop();
  }

  /** Starts the broker again, on the same port. */
  public void startBroker() {
    broker.start();
  }

  public void restartBroker() {
    broker.stop();
    broker.start();
  }

  /** Refuses new subscriptions to these topics; {@code topic -> false} allows all again. */
  public void refuseSubscriptions(Predicate<String> topics) {
    broker.refusedSubscriptions = topics;
  }

  /** Accepts any MQTT client ID, not only those of the app. */
  public void setAnyClientId(boolean anyClientId) {
    this.anyClientId = anyClientId;
  }

  /** Publishes from the cloud on any topic. */
  public void publish(String topic, byte[] payload) {
    broker.publish(topic, payload);
  }

  public void publish(String topic, String payload) {
    publish(topic, payload.getBytes(StandardCharsets.UTF_8));
  }

  /** The topic of requests to a device ("get") or of their replies ("get_reply"). */
  public String topic(SimulatedDevice device, String end) {
    return "/app/" + account().userId() + "/" + device.serial() + "/thing/property/" + end;
  }

  /** Publishes any text as a device's reply to a request for all values. */
  public void publishReply(SimulatedDevice device, String payload) {
    publish(topic(device, "get_reply"), payload);
  }

  Optional<String> nickname() {
    return Optional.ofNullable(nickname);
  }

  String mqttUrl() {
    return mqttUrl;
  }

  int certifiedMqttPort() {
    return otherMqttPort.orElse(mqttPort());
  }

  Optional<SimulatedAccount> byEmail(String email) {
    return Optional.ofNullable(byEmail.get(email));
  }

  Optional<SimulatedAccount> byAccessKey(String accessKey) {
    return Optional.ofNullable(byAccessKey.get(accessKey));
  }

  Optional<SimulatedAccount> byToken(String token) {
    return Optional.ofNullable(byToken.get(token));
  }

  void addToken(String token, SimulatedAccount of) {
    byToken.put(token, of);
  }

  void addBrokerUsers(SimulatedAccount of) {
    byBrokerUser.put(of.certificateAccount(), of);
    byBrokerUser.put(of.openAccount(), of);
  }

  /**
   * Developer keys may read all topics of their own account on which devices publish. Replies to an
   * app account, and devices that only other accounts have, are not readable.
   */
  private boolean mayRead(String user, String topic) {
    SimulatedAccount reader = byBrokerUser.get(user);
    if (topic.startsWith("/open/")) {
      return user.equals(reader.openAccount())
          && topic.matches("/open/" + reader.openAccount() + "/[^/+#]+/(quota|status|set_reply)");
    }
    String[] levels = topic.split("/", -1);
    if (levels.length < 4 || !levels[1].equals("app")) {
      return true;
    }
    if (!levels[2].equals("device")) {
      SimulatedAccount addressed = byUserId.get(levels[2]);
      return addressed == null || addressed == reader;
    }
    String serial = levels[levels.length - 1];
    return reader.device(serial).isPresent() || device(serial).isEmpty();
  }

  private static void setLogLevel(String logger, String level) {
    System.getProperties().putIfAbsent("org.slf4j.simpleLogger.log." + logger, level);
  }

  private boolean acceptsLogin(String clientId, String user, String password) {
    SimulatedAccount presented = byBrokerUser.get(user);
    if (presented == null) {
      return false;
    }
    boolean appClient = anyClientId || clientId.matches(APP_CLIENT + presented.login().userId());
    boolean accepted = presented.accepts(clientId, new MqttCredentials(user, password), appClient);
    if (accepted) {
      byClientId.put(clientId, presented);
    }
    return accepted;
  }

  /** Devices reply to the clients of their own accounts. */
  private void receive(ReceivedMessage message) {
    Matcher topic = GET_TOPIC.matcher(message.topic());
    if (topic.matches()) {
      SimulatedAccount sender = byClientId.get(message.clientId());
      if (sender != null && sender.login().userId().equals(topic.group("user"))) {
        sender
            .device(topic.group("serial"))
            .flatMap(device -> device.answerTo(message.payload()))
            .ifPresent(answer -> publish(message.topic() + "_reply", answer));
      }
    }
  }
}
