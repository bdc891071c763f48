package ecoflow.testkit;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;

/** A Kafka broker that keeps its records on disk; not running until it is started. */
public final class KafkaBroker implements AutoCloseable {

  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private static final String FETCH =
      "./mvnw -q -f src/test/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=";

  private final Path directory;
  private final String name;
  private final Path jars;
  private final Path config;
  private final int port = Ports.next();
  private final int controller;
  private final List<ChildProcess> consumers = new ArrayList<>();
  private ChildProcess process;

  public KafkaBroker(Path directory) {
    this(
        directory,
        SinkRun.fetch(
            "kafka-broker",
            jars ->
                ChildProcess.shell(
                    Path.of("").toAbsolutePath(),
                    directory.resolve("fetch"),
                    Map.of(),
                    FETCH + jars)),
        1,
        Ports.next());
  }

  /**
   * @param controller the port of the controller, which is in the process of node 1
   */
  private KafkaBroker(Path directory, Path jars, int node, int controller) {
    this.directory = directory;
    this.jars = jars;
    this.controller = controller;
    name = "kafka-" + node;
    config = directory.resolve(name + ".properties");
    boolean isController = node == 1;
    try {
      Files.write(
          config,
          List.of(
              "process.roles=broker" + (isController ? ",controller" : ""),
              "node.id=" + node,
              "controller.quorum.voters=1@127.0.0.1:" + controller,
              "listeners=PLAINTEXT://127.0.0.1:"
                  + port
                  + (isController ? ",CONTROLLER://127.0.0.1:" + controller : ""),
              "advertised.listeners=PLAINTEXT://127.0.0.1:" + port,
              "controller.listener.names=CONTROLLER",
              "offsets.topic.replication.factor=1",
              "offsets.topic.num.partitions=1",
              "transaction.state.log.replication.factor=1",
              "transaction.state.log.min.isr=1",
              "group.initial.rebalance.delay.ms=0",
              // More than a server accepts.
              "message.max.bytes=8388608",
              // By default, partitions have no other leader for 9 s.
              "broker.session.timeout.ms=2000",
              "broker.heartbeat.interval.ms=500",
              "log.dirs=" + directory.resolve(name)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try (ChildProcess format =
        java(
            name + "-format",
            "kafka.tools.StorageTool",
            "format",
            "-t",
            "ecoflowtestecoflowtests")) {
      if (format.exitCode() != 0) {
        throw new IllegalStateException("cannot format the storage of Kafka: " + format.lines());
      }
    }
  }

  /** The second broker of the cluster; not running until it is started. */
  public KafkaBroker second() {
    return new KafkaBroker(directory, jars, 2, controller);
  }

  private ChildProcess java(String output, String main, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                jars + "/*",
                main));
    command.addAll(List.of(arguments));
    if (main.equals("kafka.tools.StorageTool")) {
      command.addAll(List.of("-c", config.toString()));
    }
    return ChildProcess.start(directory, directory.resolve(output), Map.of(), command);
  }

  /** The address for clients. */
  public String address() {
    return "127.0.0.1:" + port;
  }

  public void start() {
    process = java(name + "-broker", "kafka.Kafka", config.toString());
    await().atMost(TIMEOUT).until(this::answers);
  }

  /** Creates topics with this number of partitions. */
  public void createTopics(int partitions, String... topics) {
    List<NewTopic> created =
        Stream.of(topics).map(topic -> new NewTopic(topic, partitions, (short) 1)).toList();
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address()))) {
      admin.createTopics(created).all().get();
      await().atMost(TIMEOUT).until(() -> haveLeaders(admin, partitions, topics));
    } catch (ExecutionException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Creates a topic.
   *
   * @param nodes the broker of each partition
   */
  public void createTopic(String topic, List<Integer> nodes) {
    Map<Integer, List<Integer>> brokers = new HashMap<>();
    nodes.forEach(node -> brokers.put(brokers.size(), List.of(node)));
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address()))) {
      admin.createTopics(List.of(new NewTopic(topic, brokers))).all().get();
      await().atMost(TIMEOUT).until(() -> haveLeaders(admin, nodes.size(), topic));
    } catch (ExecutionException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Waits until exactly this number of partitions of the topic have a leader. */
  public void awaitLeaders(int partitions, String topic) {
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address()))) {
      await().atMost(TIMEOUT).until(() -> haveLeaders(admin, partitions, topic));
    }
  }

  /** Deletes the records of a partition before an offset. */
  public void deleteRecords(String topic, int partition, long offset) {
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address()))) {
      admin
          .deleteRecords(
              Map.of(new TopicPartition(topic, partition), RecordsToDelete.beforeOffset(offset)))
          .all()
          .get();
    } catch (ExecutionException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Increases the number of partitions of a topic. */
  public void setPartitions(int partitions, String topic) {
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address()))) {
      admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions))).all().get();
      await().atMost(TIMEOUT).until(() -> haveLeaders(admin, partitions, topic));
    } catch (ExecutionException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean haveLeaders(Admin admin, int partitions, String... topics)
      throws InterruptedException {
    try {
      return admin.describeTopics(List.of(topics)).allTopicNames().get().values().stream()
          .allMatch(
              topic ->
                  topic.partitions().stream()
                          .filter(one -> one.leader() != null && !one.leader().isEmpty())
                          .count()
                      == partitions);
    } catch (ExecutionException e) {
      // The broker does not know the topics yet.
      return false;
    }
  }

  /** Starts the broker unless it is running. */
  public void ensureStarted() {
    if (process == null || !process.isAlive()) {
      start();
    }
  }

  public void kill() {
    process.kill();
  }

  private boolean answers() {
    if (!process.isAlive()) {
      throw new IllegalStateException("Kafka does not start: " + process.lines());
    }
    try (Socket socket = new Socket("127.0.0.1", port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  /** Prints the records of a topic from its beginning, with the key before the value. */
  public ChildProcess consume(String topic) {
    ChildProcess consumer =
        java(
            "consumer-" + consumers.size(),
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            "--bootstrap-server",
            address(),
            "--topic",
            topic,
            "--from-beginning",
            "--property",
            "print.key=true",
            "--property",
            "print.headers=true");
    consumers.add(consumer);
    return consumer;
  }

  @Override
  public void close() {
    consumers.forEach(ChildProcess::close);
    if (process != null) {
      kill();
    }
  }
}
