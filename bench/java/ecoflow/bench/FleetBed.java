package ecoflow.bench;

import ecoflow.testkit.KafkaBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/** The environment of the measurement, with a Kafka broker in addition to that of {@link Bed}. */
final class FleetBed implements AutoCloseable {

  static final int PARTITIONS = 12;

  private final Bed bed;
  private final KafkaBroker kafka;
  private int fleets;

  FleetBed(Bed bed, Path directory) {
    this.bed = bed;
    kafka = new KafkaBroker(directory);
    kafka.start();
  }

  Bed bed() {
    return bed;
  }

  /** Creates topics, and returns their prefix. */
  String createTopics() {
    String prefix = "fleet" + ++fleets;
    kafka.createTopics(PARTITIONS, prefix + ".raw", prefix + ".devices");
    kafka.createTopics(1, prefix + ".unknown");
    return prefix;
  }

  RecordWriter writer(String prefix) {
    return new RecordWriter(kafka.address(), prefix);
  }

  /**
   * Starts a process of a fleet.
   *
   * @param role as ECOFLOW_ROLE
   * @param heap the options of the Java runtime, such as its heap
   */
  Exporter start(
      String command,
      String role,
      String prefix,
      String serials,
      String heap,
      Map<String, String> more)
      throws IOException {
    Map<String, String> variables = new HashMap<>(javaOptions(heap));
    variables.put("ECOFLOW_ROLE", role);
    variables.put("ECOFLOW_KAFKA_BROKERS", kafka.address());
    variables.put("ECOFLOW_KAFKA_TOPICS", prefix);
    if (role.equals("serve")) {
      // An empty variable counts as unset.
      Stream.of("ECOFLOW_ACCOUNT_USER", "ECOFLOW_ACCOUNT_PASSWORD", "ECOFLOW_API_TYPE")
          .forEach(credential -> variables.put(credential, ""));
    }
    variables.putAll(more);
    return Exporter.start(bed, command, serials, variables);
  }

  /** The options, followed by those of the environment of this program. */
  static Map<String, String> javaOptions(String heap) {
    String more = System.getenv().getOrDefault("ECOFLOW_JAVA_OPTS", "");
    return Map.of("ECOFLOW_JAVA_OPTS", heap + " " + more);
  }

  /** CPU time of the Kafka broker. */
  double kafkaCpuSeconds() {
    return Exporter.cpuSeconds(
        ProcessHandle.current()
            .descendants()
            .filter(
                process ->
                    Stream.of(process.info().arguments().orElse(new String[0]))
                        .anyMatch("kafka.Kafka"::equals)));
  }

  /** Binds this program and the brokers to processors. */
  static void bind(String processors) throws IOException, InterruptedException {
    for (ProcessHandle process :
        Stream.concat(Stream.of(ProcessHandle.current()), ProcessHandle.current().descendants())
            .toList()) {
      new ProcessBuilder("taskset", "-a", "-c", "-p", processors, Long.toString(process.pid()))
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    }
  }

  @Override
  public void close() {
    kafka.close();
  }
}
