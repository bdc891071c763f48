package ecoflow.web;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the clients of the pages may use.
 *
 * @param connections open at the same time
 * @param header from accept, or from the first byte of a later request, to the end of its headers;
 *     also for the rest of a body that was refused
 * @param idle between two requests of a connection
 * @param reader within which a client reads {@link Connection#LEAST_PROGRESS} bytes of an answer,
 *     and sends the whole body of a request
 * @param answers under way at the same time, without those of the health pages
 * @param bytes that answers and request bodies under way may hold together
 * @param body bytes of a request body, on paths that take one
 * @param pipelined bytes of all requests that wait for the response to another one
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

  static final int CONNECTIONS = 256;
  private static final int LEAST_CONNECTIONS = 4;

  /** File descriptors for MQTT, HTTPS, files, and routes of users. */
  static final int RESERVED_FILES = 64;

  private static final Pattern MAX_FILES =
      Pattern.compile("^Max open files +(\\d+) ", Pattern.MULTILINE);

  static Limits standard() {
    return new Limits(
        affordable(),
        Duration.ofSeconds(10),
        Duration.ofMinutes(5),
        Duration.ofSeconds(30),
        64,
        16 << 20,
        1 << 20,
        4 << 20);
  }

  /** Fewer than {@value #CONNECTIONS} where the process may open few files. */
  private static int affordable() {
    try {
      Matcher max = MAX_FILES.matcher(Files.readString(Path.of("/proc/self/limits")));
      String[] open = new File("/proc/self/fd").list();
      if (max.find() && open != null) {
        long free = Long.parseLong(max.group(1)) - open.length - RESERVED_FILES;
        // Descriptors of as many closed connections can be in use until the next select.
        return (int) Math.max(LEAST_CONNECTIONS, Math.min(CONNECTIONS, free / 2));
      }
    } catch (IOException | NumberFormatException e) {
      // Not Linux, or no limit.
    }
    return CONNECTIONS;
  }
}
