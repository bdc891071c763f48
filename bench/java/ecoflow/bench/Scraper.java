package ecoflow.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Locale;
import java.util.OptionalDouble;

/** One connection to /metrics, over a plain socket, so that no client library is measured. */
final class Scraper implements AutoCloseable {

  /**
   * A response.
   *
   * @param bytes the size of the body as sent
   * @param series lines that are not comments, if the body is not compressed
   * @param body empty unless requested
   * @param firstByteNanos time from the request to the first byte of the body
   */
  record Page(int status, long bytes, long series, String body, long firstByteNanos) {

    /** The value of the first series with this name; names have the prefix ecoflow. */
    OptionalDouble value(String name) {
      int start = body.indexOf("\necoflow_" + name + "{");
      if (start < 0) {
        return OptionalDouble.empty();
      }
      int value = body.indexOf("} ", start) + 2;
      return OptionalDouble.of(
          Double.parseDouble(body.substring(value, body.indexOf('\n', value))));
    }

    /** Number of series with this name. */
    long count(String name) {
      return body.lines().filter(line -> line.startsWith("ecoflow_" + name + "{")).count();
    }

    /** The sum of all series with this name; 0 for none. */
    double sum(String name) {
      return body.lines()
          .filter(
              line ->
                  line.startsWith("ecoflow_" + name + "{")
                      || line.startsWith("ecoflow_" + name + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
          .sum();
    }
  }

  private static final int TIMEOUT_MILLIS = 120_000;

  private final Socket socket;
  private final InputStream in;
  private boolean closedByServer;

  Scraper(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
  }

  /** A scrape over a new connection. */
  static Page once(int port, boolean gzip, boolean keepBody) throws IOException {
    try (Scraper scraper = new Scraper(port)) {
      return scraper.get(gzip, keepBody);
    }
  }

  /** Whether the server has closed the connection, or is about to. */
  boolean isClosedByServer() {
    return closedByServer;
  }

  /** The page with the series of one account. */
  static Page account(int port, String name) throws IOException {
    return path(port, "/metrics?account=" + name);
  }

  static Page path(int port, String path) throws IOException {
    try (Scraper scraper = new Scraper(port)) {
      return scraper.get(path, false, true);
    }
  }

  Page get(boolean gzip, boolean keepBody) throws IOException {
    return get("/metrics", gzip, keepBody);
  }

  private Page get(String path, boolean gzip, boolean keepBody) throws IOException {
    String request =
        "GET "
            + path
            + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain;version=0.0.4\r\n"
            + (gzip ? "Accept-Encoding: gzip\r\n" : "")
            + "\r\n";
    long start = System.nanoTime();
    socket.getOutputStream().write(request.getBytes(ISO_8859_1));
    String first = line();
    closedByServer = first.startsWith("HTTP/1.0");
    long length = -1;
    boolean chunked = false;
    for (String header = line(); !header.isEmpty(); header = line()) {
      String lower = header.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Long.parseLong(lower.substring("content-length:".length()).strip());
      } else if (lower.startsWith("transfer-encoding:") && lower.contains("chunked")) {
        chunked = true;
      } else if (lower.startsWith("connection:") && lower.contains("close")) {
        closedByServer = true;
      }
    }
    Body body = new Body(keepBody);
    if (chunked) {
      for (int size = chunkSize(); size > 0; size = chunkSize()) {
        body.take(size);
        line();
      }
      line();
    } else {
      closedByServer |= length < 0;
      body.take(length < 0 ? Long.MAX_VALUE : length);
    }
    return new Page(
        Integer.parseInt(first.split(" ")[1]),
        body.bytes,
        body.series,
        body.kept.toString(ISO_8859_1),
        body.firstByte - start);
  }

  private int chunkSize() throws IOException {
    return Integer.parseInt(line().split(";")[0].strip(), 16);
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("unexpected end of the response");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  /** Reads a body and counts its bytes and lines without storing it. */
  private final class Body {

    private final boolean keep;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private final byte[] buffer = new byte[1 << 16];
    private long bytes;
    private long series;
    private byte last = '\n';

    /** System.nanoTime. */
    private long firstByte = System.nanoTime();

    Body(boolean keep) {
      this.keep = keep;
    }

    void take(long length) throws IOException {
      long rest = length;
      while (rest > 0) {
        int read = in.read(buffer, 0, (int) Math.min(buffer.length, rest));
        if (read < 0) {
          if (length == Long.MAX_VALUE) {
            return;
          }
          throw new EOFException("unexpected end of the body");
        }
        if (bytes == 0) {
          firstByte = System.nanoTime();
        }
        rest -= read;
        bytes += read;
        for (int i = 0; i < read; i++) {
          if (last == '\n' && buffer[i] != '#') {
            series++;
          }
          last = buffer[i];
        }
        if (keep) {
          kept.write(buffer, 0, read);
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
