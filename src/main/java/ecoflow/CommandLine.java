package ecoflow;

import static java.nio.charset.StandardCharsets.UTF_8;

import ecoflow.command.Commands;
import ecoflow.config.ConfigException;
import ecoflow.config.KafkaSettings;
import ecoflow.config.KafkaSettings.Role;
import ecoflow.config.Settings;
import ecoflow.config.Settings.LogLevel;
import ecoflow.offline.CloudSession;
import ecoflow.offline.HistoryReplay;
import ecoflow.offline.Replay;
import ecoflow.offline.RouteCheck;
import ecoflow.role.Roles;
import ecoflow.routes.RouteFiles;
import ecoflow.runtime.ComponentJars;
import ecoflow.runtime.Logging;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.apache.camel.main.MainHelper;

/** Provides the commands with the functions of this exporter. */
final class CommandLine {

  private CommandLine() {}

  /**
   * Runs the command in the arguments and returns the exit code.
   *
   * @param variables the environment
   * @param arguments the command, and its arguments
   */
  static int run(Map<String, String> variables, String... arguments) {
    // Java 22 and 23 otherwise return a console that is not a terminal.
    System.setProperty("jdk.console", "java.base");
    if (arguments[0].equals(Commands.LIB)) {
      ComponentJars.loadTools();
    }
    // Files and other programs expect UTF-8, also if the locale is POSIX, as in cron.
    Charset charset = System.console() == null ? UTF_8 : Charset.defaultCharset();
    PrintWriter out = new PrintWriter(System.out, false, charset);
    PrintWriter err = new PrintWriter(System.err, true, Charset.defaultCharset());
    int code =
        new Commands(
                variables,
                new ThisExporter(variables),
                directory -> checkRoutes(variables, directory),
                (file, problem) -> Replay.series(variables, Beans::new, file, problem),
                (age, problem) -> HistoryReplay.series(variables, Beans::new, age, problem),
                Clock.systemUTC(),
                out,
                err)
            .run(arguments);
    out.flush();
    return code;
  }

  private static Commands.RouteReport checkRoutes(Map<String, String> variables, Path directory)
      throws ConfigException {
    // The command prints the errors; the log would repeat them.
    Logging.level(LogLevel.ERROR);
    return RouteCheck.report(variables, Beans::new, directory);
  }

  static final class ThisExporter implements Commands.Exporter {

    private final Map<String, String> variables;

    ThisExporter(Map<String, String> variables) {
      this.variables = variables;
    }

    @Override
    public List<String> versions() {
      return List.of(
          "ecoflow-exporter " + Beans.version(),
          "Apache Camel " + new MainHelper().getVersion(),
          "Java " + Runtime.version());
    }

    @Override
    public List<String> routeFiles() throws ConfigException {
      Role role = KafkaSettings.role(variables);
      if (role != Role.ALL) {
        Roles.check(role);
      }
      return RouteFiles.exported(role);
    }

    @Override
    public InputStream openRouteFile(String name) {
      return RouteFiles.open(name);
    }

    @Override
    public Commands.Cloud open(Settings settings) throws ConfigException {
      // The command prints the errors; the log would repeat them.
      Logging.level(settings.logLevel() == LogLevel.DEBUG ? LogLevel.DEBUG : LogLevel.ERROR);
      return new CloudSession(settings, Beans::new);
    }
  }
}
