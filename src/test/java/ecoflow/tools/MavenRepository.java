package ecoflow.tools;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import ecoflow.testkit.Certificates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A directory with the layout of a Maven repository, and its web server. */
final class MavenRepository implements AutoCloseable {

  private final Path directory;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<String> requests = new CopyOnWriteArrayList<>();

  /** Serves an empty directory over HTTP. */
  MavenRepository(Path directory) {
    this(directory, newServer(), "", "");
  }

  private MavenRepository(Path directory, HttpServer server, String user, String password) {
    this.directory = directory;
    this.server = server;
    HttpContext context = server.createContext("/maven2/", this::answer);
    if (!user.isEmpty()) {
      context.setAuthenticator(
          new BasicAuthenticator("repository") {
            @Override
            public boolean checkCredentials(String givenUser, String givenPassword) {
              return givenUser.equals(user) && givenPassword.equals(password);
            }
          });
    }
    server.setExecutor(threads);
    server.start();
  }

  /** Serves the directory over HTTPS, to clients with this login only. */
  static MavenRepository withLogin(
      Path directory, Certificates authority, String user, String password) {
    try {
      HttpsServer server = HttpsServer.create(loopback(), 0);
      server.setHttpsConfigurator(
          new HttpsConfigurator(authority.client(authority.issue("localhost"))));
      return new MavenRepository(directory, server, user, password);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static HttpServer newServer() {
    try {
      return HttpServer.create(loopback(), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  int port() {
    return server.getAddress().getPort();
  }

  String url() {
    return "http://localhost:" + port() + "/maven2";
  }

  /** The paths of all requests for POMs and jars so far, without those for checksums. */
  List<String> requests() {
    return requests.stream().filter(path -> path.matches(".*\\.(pom|jar)")).toList();
  }

  /**
   * Adds a POM.
   *
   * @param coordinates such as com.example:one:1.0
   * @param elements the elements of the project after its coordinates
   */
  MavenRepository pom(String coordinates, String elements) {
    String[] parts = coordinates.split(":");
    write(
        path(coordinates, "pom"),
        """
        <project>
          <modelVersion>4.0.0</modelVersion>
          <groupId>%s</groupId>
          <artifactId>%s</artifactId>
          <version>%s</version>
          %s
        </project>
        """
            .formatted(parts[0], parts[1], parts[2], elements)
            .getBytes(UTF_8));
    return this;
  }

  /** Adds a POM and a jar, whose content is its coordinates. */
  MavenRepository jar(String coordinates, String elements) {
    pom(coordinates, elements);
    write(path(coordinates, "jar"), coordinates.getBytes(UTF_8));
    return this;
  }

  MavenRepository jar(String coordinates) {
    return jar(coordinates, "");
  }

  /** Adds a POM and a jar with this content. */
  MavenRepository jar(String coordinates, Path content) throws IOException {
    pom(coordinates, "");
    write(path(coordinates, "jar"), Files.readAllBytes(content));
    return this;
  }

  /** The elements of a dependency. */
  static String requires(String coordinates, String... elements) {
    String[] parts = coordinates.split(":");
    return "<dependency><groupId>%s</groupId><artifactId>%s</artifactId>%s%s</dependency>"
        .formatted(
            parts[0],
            parts[1],
            parts.length == 2 ? "" : "<version>" + parts[2] + "</version>",
            String.join("", elements));
  }

  static String dependencies(String... dependencies) {
    return "<dependencies>" + String.join("", dependencies) + "</dependencies>";
  }

  /**
   * The file of an artifact.
   *
   * @param extension such as jar or jar.sha1
   */
  Path path(String coordinates, String extension) {
    String[] parts = coordinates.split(":");
    return directory
        .resolve(parts[0].replace('.', '/'))
        .resolve(parts[1])
        .resolve(parts[2])
        .resolve(parts[1] + "-" + parts[2] + "." + extension);
  }

  /** Writes a file and its checksum. */
  private static void write(Path file, byte[] content) {
    try {
      Files.createDirectories(file.getParent());
      Files.write(file, content);
      Files.writeString(
          Path.of(file + ".sha1"),
          HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(content)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath().replaceFirst("^/maven2/", "");
    requests.add(path);
    Path file = directory.resolve(path);
    try (exchange) {
      if (Files.isRegularFile(file)) {
        byte[] content = Files.readAllBytes(file);
        exchange.sendResponseHeaders(200, content.length == 0 ? -1 : content.length);
        exchange.getResponseBody().write(content);
      } else {
        exchange.sendResponseHeaders(404, -1);
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
