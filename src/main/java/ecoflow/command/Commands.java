package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.text.Lines;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The commands of the command line. Each returns an exit code and reports a failure in one line.
 */
public final class Commands {

  static final String NAME = "ecoflow-exporter";
  static final int SUCCESS = 0;
  static final int FAILED = 1;
  static final int BAD_CONFIGURATION = 2;

  /** Functions of the exporter that the commands use. */
  public interface Exporter {

    /** The versions of the exporter, Camel and Java, one line each. */
    List<String> versions();

    /**
     * The names of the packaged route files.
     *
     * @throws ConfigException if the role in the environment is not valid or not available
     */
    List<String> routeFiles() throws ConfigException;

    /** The content of a packaged route file. */
    InputStream openRouteFile(String name);

    /**
     * Starts the packaged routes without timers and without the web server.
     *
     * @throws ConfigException if a file named by the settings cannot be used
     */
    Cloud open(Settings settings) throws ConfigException;
  }

  /** Access to EcoFlow's cloud through the routes of the exporter. */
  public interface Cloud extends AutoCloseable {

    /** Logs in with the app account; does nothing with developer keys, which need no login. */
    void login() throws CallFailure;

    List<ListedDevice> devices() throws CallFailure;

    /** The devices to serve, after a call for the device list; requires developer keys. */
    List<HistoryDevice> historyDevices() throws CallFailure;

    /**
     * The energy that EcoFlow counted on one day; requires developer keys. Calls are paced.
     *
     * @param day in the time zone of the device
     */
    DayEnergy energy(String serial, String code, LocalDate day) throws CallFailure;

    /**
     * The time of the API host, from the Date header of a response; empty without that header.
     *
     * @throws IOException if the host does not answer
     */
    Optional<Instant> time() throws IOException;

    /** The host of the API calls, which is another region if the first host rejects the keys. */
    String host();

    /**
     * Connects to the broker and subscribes to the messages of the devices.
     *
     * @return the address of the broker
     */
    String connect() throws CallFailure;

    boolean isConnected();

    /** The serial numbers of the devices to whose messages the broker refused a subscription. */
    Set<String> refusedDevices();

    /**
     * Requests the values of a device, if the mode supports requests. Does not change the device.
     */
    void request(String serial) throws CallFailure;

    boolean hasValues(String serial);

    @Override
    void close();
  }

  /** Finds errors in the route files of a directory. */
  public interface RouteCheck {

    RouteReport check(Path directory) throws ConfigException;
  }

  /**
   * The result of a check of route files.
   *
   * @param files the files with their definitions, one line each
   * @param warnings one line each
   * @param problems one line per error, "file:line: error, allowed values"; empty without errors
   */
  public record RouteReport(List<String> files, List<String> warnings, List<String> problems) {}

  /** Processes recorded messages with the routes. */
  public interface Replay {

    /**
     * @param problem receives a log line for each line of the file that is not a record
     * @return the resulting series in the format of the metrics page, followed by the messages
     *     without a decoder
     */
    List<String> series(Path file, Consumer<String> problem) throws ConfigException, IOException;
  }

  /** Processes the messages in Kafka with the routes. */
  public interface History {

    /**
     * @param age the age of the oldest message
     * @param problem receives a line for each record that is not valid
     * @return as {@link Replay#series}
     * @throws IOException if Kafka does not answer; the message is a line for the user
     */
    List<String> series(Duration age, Consumer<String> problem) throws ConfigException, IOException;
  }

  /** The command in a separate jar, which the context class loader of the thread contains. */
  public static final String LIB = "lib";

  private final CommandLine commands;
  private final Map<String, String> variables;
  private final PrintWriter out;
  private final PrintWriter err;

  /**
   * @param variables the environment
   * @param clock the wall clock of this machine
   */
  public Commands(
      Map<String, String> variables,
      Exporter exporter,
      RouteCheck routeCheck,
      Replay replay,
      History history,
      Clock clock,
      PrintWriter out,
      PrintWriter err) {
    this.variables = variables;
    this.out = out;
    this.err = err;
    commands = new CommandLine(new Top());
    commands.addSubcommand(new ConfigCommand(variables));
    commands.addSubcommand(new DevicesCommand(variables, exporter));
    commands.addSubcommand(new CheckCommand(variables, exporter, clock));
    commands.addSubcommand(new ValidateCommand(variables, routeCheck));
    commands.addSubcommand(new ReplayCommand(replay, history));
    commands.addSubcommand(
        new HistoryCommand(variables, exporter, clock.withZone(ZoneId.systemDefault())));
    commands.addSubcommand(
        new CommandLine(new RoutesCommand()).addSubcommand(new ExportCommand(exporter)));
    // Evaluated for --version only, because reading Camel's version loads one of its classes.
    commands.getCommandSpec().versionProvider(() -> exporter.versions().toArray(String[]::new));
  }

  /** Runs the command and returns the exit code. */
  public int run(String... arguments) {
    if (arguments.length > 0 && arguments[0].equals(LIB)) {
      try {
        commands.addSubcommand(lib());
      } catch (ClassNotFoundException e) {
        err.println(NAME + ": lib requires the directory lib/tools of the distribution");
        return BAD_CONFIGURATION;
      }
    }
    // These settings also apply to the subcommands.
    commands.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
    commands.setOut(out);
    commands.setErr(err);
    commands.setParameterExceptionHandler((failure, line) -> invalidLine(failure, err));
    commands.setExecutionExceptionHandler((failure, line, result) -> failed(failure, err));
    return commands.execute(arguments);
  }

  private Object lib() throws ClassNotFoundException {
    try {
      return Class.forName(
              "ecoflow.tools.LibCommand", true, Thread.currentThread().getContextClassLoader())
          .getConstructor(Map.class)
          .newInstance(variables);
    } catch (ClassNotFoundException e) {
      throw e;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static int invalidLine(ParameterException failure, PrintWriter err) {
    String name = failure.getCommandLine().getCommandSpec().qualifiedName();
    err.println(NAME + ": " + message(failure) + "; see " + name + " --help");
    return BAD_CONFIGURATION;
  }

  private static String message(ParameterException failure) {
    if (failure instanceof UnmatchedArgumentException unknown
        && !unknown.getUnmatched().isEmpty()) {
      String argument = unknown.getUnmatched().get(0);
      boolean isGroup = !unknown.getCommandLine().getSubcommands().isEmpty();
      String kind = argument.startsWith("-") ? "option" : isGroup ? "command" : "argument";
      return "unknown " + kind + " '" + printed(argument) + "'";
    }
    return printed(failure.getMessage());
  }

  private static int failed(Exception failure, PrintWriter err) throws Exception {
    if (failure instanceof ConfigException) {
      err.println(NAME + ": " + failure.getMessage());
      return BAD_CONFIGURATION;
    }
    if (failure instanceof CallFailure) {
      err.println(NAME + ": " + failure.getMessage());
      return FAILED;
    }
    throw failure;
  }

  /** Text as one line of the output. */
  static String printed(String text) {
    return Lines.printable(text.replaceAll("\\s+", " ").strip());
  }
}
