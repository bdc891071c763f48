package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Redis as a child process that requires a password and does not persist data; not running until it
 * is started.
 */
public final class RedisServer implements AutoCloseable {

  public static final String PASSWORD = "redis+p&ss word%";

  private final Path directory;
  private final int port = Ports.next();
  private final List<ChildProcess> subscribers = new ArrayList<>();
  private ChildProcess process;

  public RedisServer(Path directory) {
    this.directory = directory;
  }

  public static boolean isInstalled() {
    return Programs.find("redis-server").isPresent() && Programs.find("redis-cli").isPresent();
  }

  public int port() {
    return port;
  }

  public void start() {
    process =
        ChildProcess.start(
            directory,
            directory.resolve("redis"),
            Map.of(),
            List.of(
                Programs.get("redis-server"),
                "--bind",
                "127.0.0.1",
                "--port",
                "" + port,
                "--save",
                "",
                "--requirepass",
                PASSWORD));
    eventually(() -> assertEquals(List.of("PONG"), execute("PING")));
  }

  /** Runs a command and returns the lines that redis-cli prints into a pipe. */
  public List<String> execute(String... command) {
    try (ChildProcess client = client("answer", List.of(command))) {
      client.exitCode();
      return client.lines();
    }
  }

  /** Prints messages that are published on a channel from now on. */
  public ChildProcess subscribe(String channel) {
    ChildProcess subscriber = client("published", List.of("SUBSCRIBE", channel));
    subscribers.add(subscriber);
    subscriber.awaitLine("subscribe");
    return subscriber;
  }

  private ChildProcess client(String output, List<String> command) {
    List<String> line =
        new ArrayList<>(List.of(Programs.get("redis-cli"), "-h", "127.0.0.1", "-p", "" + port));
    line.addAll(command);
    return ChildProcess.start(
        directory, directory.resolve(output), Map.of("REDISCLI_AUTH", PASSWORD), line);
  }

  public void kill() {
    process.kill();
  }

  @Override
  public void close() {
    subscribers.forEach(ChildProcess::close);
    if (process != null) {
      kill();
    }
  }
}
