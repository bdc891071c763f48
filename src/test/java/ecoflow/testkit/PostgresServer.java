package ecoflow.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** PostgreSQL with a database for one test; not running until it is started. */
public final class PostgresServer implements AutoCloseable {

  public static final String USER = "ecoflow";
  public static final String PASSWORD = "p&ss+word 100%";

  private static final String SYSTEM_USER = "postgres";

  private final Path directory;
  private final int port = Ports.next();
  private boolean isRunning;

  /** Creates the database in a directory that another user can access. */
  public PostgresServer() {
    try {
      directory = Files.createTempDirectory("postgresql");
      Files.writeString(directory.resolve("password"), PASSWORD + "\n");
      if (isRoot()) {
        var owner =
            directory
                .getFileSystem()
                .getUserPrincipalLookupService()
                .lookupPrincipalByName(SYSTEM_USER);
        Files.setOwner(directory.resolve("password"), owner);
        Files.setOwner(directory, owner);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    run(
        "initdb",
        "-D",
        data(),
        "-U",
        USER,
        "--auth=scram-sha-256",
        "--pwfile=" + directory.resolve("password"),
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C.UTF-8");
  }

  public static boolean isInstalled() {
    return Stream.of("initdb", "pg_ctl", "psql").allMatch(name -> Programs.find(name).isPresent())
        && (!isRoot() || Programs.find("runuser").isPresent());
  }

  /** The server refuses to run as root. */
  private static boolean isRoot() {
    return System.getProperty("user.name").equals("root");
  }

  private String data() {
    return directory.resolve("data").toString();
  }

  /** For JDBC; every installation has the database postgres. */
  public String url() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
  }

  public void start() {
    run(
        "pg_ctl",
        "-D",
        data(),
        "-w",
        "-l",
        directory.resolve("log").toString(),
        "-o",
        "-p " + port + " -c listen_addresses=127.0.0.1 -c fsync=off -k " + directory,
        "start");
    isRunning = true;
  }

  /** Stops it like a crash: running transactions are aborted. */
  public void stop() {
    run("pg_ctl", "-D", data(), "-w", "-m", "immediate", "stop");
    isRunning = false;
  }

  private void run(String program, String... arguments) {
    List<String> command = new ArrayList<>();
    if (isRoot()) {
      command.addAll(List.of(Programs.get("runuser"), "-u", SYSTEM_USER, "--"));
    }
    command.add(Programs.get(program));
    command.addAll(List.of(arguments));
    ChildProcess.run(directory, directory.resolve("output"), command.toArray(String[]::new));
  }

  /** The rows of a query, with columns separated by |. */
  public List<String> query(String sql) {
    try (ChildProcess psql =
        ChildProcess.start(
            directory,
            directory.resolve("rows"),
            Map.of("PGPASSWORD", PASSWORD),
            List.of(
                Programs.get("psql"),
                "-h",
                "127.0.0.1",
                "-p",
                "" + port,
                "-U",
                USER,
                "-d",
                "postgres",
                "-Atc",
                sql))) {
      assertEquals(0, psql.exitCode(), () -> sql + psql.lines());
      return psql.lines();
    }
  }

  @Override
  public void close() {
    if (isRunning) {
      stop();
    }
    Directories.delete(directory);
  }
}
