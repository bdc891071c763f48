package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "validate",
    description = "Reports errors in the route files of a directory.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class ValidateCommand implements Callable<Integer> {

  private static final String DEFAULT_VARIABLE = Settings.ROUTES_DIR;

  private final Map<String, String> variables;
  private final Commands.RouteCheck check;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  @Parameters(
      paramLabel = "DIR",
      arity = "0..1",
      description = "The directory (default: the value of " + DEFAULT_VARIABLE + ").")
  private Path directory;

  ValidateCommand(Map<String, String> variables, Commands.RouteCheck check) {
    this.variables = variables;
    this.check = check;
  }

  @Override
  public Integer call() throws ConfigException {
    if (directory == null) {
      String byDefault = variables.getOrDefault(DEFAULT_VARIABLE, "").strip();
      if (byDefault.isEmpty()) {
        throw new ParameterException(
            spec.commandLine(), "validate requires a directory, as DIR or in " + DEFAULT_VARIABLE);
      }
      directory = Path.of(byDefault);
    }
    if (!Files.isDirectory(directory)) {
      throw new ParameterException(spec.commandLine(), directory + " is not a directory");
    }
    PrintWriter out = spec.commandLine().getOut();
    Commands.RouteReport report = check.check(directory);
    List<String> problems = report.problems();
    report.files().forEach(file -> out.println("Read " + file));
    report.warnings().forEach(line -> out.println("Warning: " + line));
    problems.forEach(out::println);
    if (problems.isEmpty()) {
      out.println("No errors in the route files of " + directory);
    }
    out.flush();
    return problems.isEmpty() ? Commands.SUCCESS : Commands.FAILED;
  }
}
