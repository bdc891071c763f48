package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What the jar does when it is started with a command: one line of words, and an exit code. */
public final class Commands {

  static final String NAME = "ecoflow-exporter";
  static final int FINE = 0;
  static final int FAILED = 1;
  static final int BAD_CONFIGURATION = 2;

  /** What commands need of the exporter that they belong to. */
  public interface Exporter {

    /** The exporter and what it runs on, a line each. */
    List<String> versions();

    /** The names of the packaged route files. */
    List<String> routeFiles();

    /**
     * The packaged routes without what starts by itself: no timer, no web server.
     *
     * @throws ConfigException when a file that the settings name cannot be used
     */
    Cloud open(Settings settings) throws ConfigException;
  }

  /** EcoFlow's cloud, through the calls of the exporter. */
  public interface Cloud extends AutoCloseable {

    /** Logs in with the account; nothing with developer keys, which each call carries. */
    void login() throws CallFailure;

    List<ListedDevice> devices() throws CallFailure;

    /**
     * The time of the API's host, from any of its answers; empty if the answer has none.
     *
     * @throws IOException when the host does not answer
     */
    Optional<Instant> time() throws IOException;

    /** The host that calls go to: another than the first when that did not know the keys. */
    String host();

    /**
     * Connects to the account's broker and subscribes to what the devices send.
     *
     * @return the broker's address
     */
    String connect() throws CallFailure;

    /** Whether the connection is still there. */
    boolean isConnected();

    /** Whether the broker refused to subscribe to some of it. */
    boolean isSubscriptionRefused();

    /** Asks for the values of a device, where the mode asks. It reads; it changes no device. */
    void ask(String serial) throws CallFailure;

    /** Whether the device has sent values. */
    boolean hasValues(String serial);

    @Override
    void close();
  }

  /** Finds what is wrong with the route files of a folder. */
  public interface RouteCheck {

    /**
     * @return a line for each problem, "file:line: what is wrong, what is allowed"; none if all is
     *     well
     */
    List<String> problems(Path folder) throws ConfigException;
  }

  /** Feeds recorded messages to the routes. */
  public interface Replay {

    /**
     * @param problem takes a line for each line of the file that is no record
     * @return the series that the messages give, as on the page, and then what is still unknown
     */
    List<String> series(Path file, Consumer<String> problem) throws ConfigException, IOException;
  }

  private final CommandLine commands;

  /**
   * @param variables the environment
   * @param clock the wall clock of this machine
   */
  public Commands(
      Map<String, String> variables,
      Exporter exporter,
      RouteCheck routeCheck,
      Replay replay,
      Clock clock,
      PrintWriter out,
      PrintWriter err) {
    commands = new CommandLine(new Top());
    commands.addSubcommand(new ConfigCommand(variables));
    commands.addSubcommand(new DevicesCommand(variables, exporter));
    commands.addSubcommand(new CheckCommand(variables, exporter, clock));
    commands.addSubcommand(new ValidateCommand(variables, routeCheck));
    commands.addSubcommand(new ReplayCommand(replay));
    commands.addSubcommand(
        new CommandLine(new RoutesCommand()).addSubcommand(new ExportCommand(exporter)));
    // Asked for only when they are wanted: Camel's is read from one of its classes.
    commands.getCommandSpec().versionProvider(() -> exporter.versions().toArray(String[]::new));
    // For all commands at once.
    commands.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
    commands.setOut(out);
    commands.setErr(err);
    commands.setParameterExceptionHandler((failure, arguments) -> badLine(failure, err));
    commands.setExecutionExceptionHandler((failure, line, result) -> failed(failure, err));
  }

  /** Does what the arguments ask for, and returns the exit code. */
  public int run(String... arguments) {
    return commands.execute(arguments);
  }

  private static int badLine(ParameterException failure, PrintWriter err) {
    String name = failure.getCommandLine().getCommandSpec().qualifiedName();
    err.println(NAME + ": " + words(failure) + "; " + name + " --help tells what there is");
    return BAD_CONFIGURATION;
  }

  private static String words(ParameterException failure) {
    if (failure instanceof UnmatchedArgumentException unknown
        && !unknown.getUnmatched().isEmpty()) {
      String word = unknown.getUnmatched().get(0);
      boolean isGroup = !unknown.getCommandLine().getSubcommands().isEmpty();
      String kind = word.startsWith("-") ? "option" : isGroup ? "command" : "argument";
      return "unknown " + kind + " '" + oneLine(word) + "'";
    }
    return oneLine(failure.getMessage());
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

  static String oneLine(String text) {
    return text.replaceAll("\\s+", " ").replaceAll("\\p{Cntrl}", "?").strip();
  }
}
