package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The forward proxy Tinyproxy as a child process, on a loopback port, with a log of requests. */
public final class Tinyproxy implements AutoCloseable {

  private static final Pattern CONNECT = Pattern.compile("(?m)Request .*: CONNECT (\\S+) HTTP/");

  private final Path directory;
  private final int port = Ports.next();
  private int starts;
  private ChildProcess process;

  /** Does not start it. */
  public Tinyproxy(Path directory) {
    this.directory = directory;
  }

  public static boolean isInstalled() {
    return Programs.find("tinyproxy").isPresent();
  }

  public int port() {
    return port;
  }

  /** Host and port. */
  public String address() {
    return "localhost:" + port;
  }

  /**
   * Starts it with an empty log.
   *
   * @param options additional lines of its configuration, such as {@code BasicAuth user password}
   */
  public void start(String... options) {
    starts++;
    List<String> lines =
        new ArrayList<>(
            List.of(
                "Port " + port,
                "Listen 127.0.0.1",
                "Allow 127.0.0.1",
                "LogFile \"" + log() + "\"",
                "LogLevel Connect"));
    lines.addAll(List.of(options));
    Path configuration = directory.resolve("tinyproxy.conf");
    try {
      Files.write(configuration, lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    process =
        ChildProcess.start(
            directory,
            directory.resolve("tinyproxy-output-" + starts),
            Map.of(),
            List.of(Programs.get("tinyproxy"), "-d", "-c", configuration.toString()));
    eventually(
        () -> {
          if (!process.isAlive()) {
            throw new IllegalStateException("tinyproxy does not start: " + process.lines());
          }
          assertTrue(isListening());
        });
  }

  private boolean isListening() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private Path log() {
    return directory.resolve("tinyproxy-log-" + starts);
  }

  /** The targets of all CONNECT requests since the start, in order. */
  public List<String> connects() {
    try {
      return CONNECT.matcher(Files.readString(log())).results().map(Tinyproxy::target).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String target(MatchResult request) {
    return request.group(1);
  }

  /** Stops it, which ends all connections through it. */
  public void stop() {
    if (process != null) {
      process.kill();
    }
  }

  @Override
  public void close() {
    stop();
  }
}
