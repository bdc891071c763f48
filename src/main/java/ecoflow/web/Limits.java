package ecoflow.web;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Limits for clients of the web server.
 *
 * @param connections the maximum number of open connections
 * @param header the maximum time from accept, or from the first byte of a later request, to the end
 *     of the headers; also for the rest of a rejected body
 * @param idle the maximum time between two requests of a connection
 * @param reader the maximum time in which a client must read {@link Connection#MIN_PROGRESS} bytes
 *     of a response, or send the whole body of a request
 * @param answers the maximum number of concurrent responses, without those of the health pages
 * @param bytes the maximum memory of concurrent responses and request bodies together
 * @param body the maximum size of a request body in bytes, on paths that accept a body
 * @param pipelined the maximum size in bytes of all requests that wait for the response to an
 *     earlier request
 */
record Limits(
    int connections,
    Duration header,
    Duration idle,
    Duration reader,
    int answers,
    long bytes,
    int body,
    long pipelined) {

  static final int MAX_CONNECTIONS = 256;
  private static final int MIN_CONNECTIONS = 4;

  /** File descriptors reserved for MQTT, HTTPS, files and custom routes. */
  static final int RESERVED_FILES = 64;

  private static final Pattern MAX_OPEN_FILES =
      Pattern.compile("^Max open files +(\\d+) ", Pattern.MULTILINE);

  static Limits standard() {
    return new Limits(
        maxConnections(),
        Duration.ofSeconds(10),
        Duration.ofMinutes(5),
        Duration.ofSeconds(30),
        64,
        16 << 20,
        1 << 20,
        4 << 20);
  }

  /** The time between two checks of a connection with a request. */
  Duration checkPeriod() {
    return (header.compareTo(reader) < 0 ? header : reader).dividedBy(5);
  }

  /** Less than {@value #MAX_CONNECTIONS} if the process has a low limit of open files. */
  private static int maxConnections() {
    try {
      Matcher max = MAX_OPEN_FILES.matcher(Files.readString(Path.of("/proc/self/limits")));
      String[] open = new File("/proc/self/fd").list();
      if (max.find() && open != null) {
        long free = Long.parseLong(max.group(1)) - open.length - RESERVED_FILES;
        // Half, because closed connections keep their descriptors until the next select.
        return (int) Math.max(MIN_CONNECTIONS, Math.min(MAX_CONNECTIONS, free / 2));
      }
    } catch (IOException | NumberFormatException e) {
      // Not on Linux, or no limit.
    }
    return MAX_CONNECTIONS;
  }
}
