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
    description = "Reports errors in the route files of a folder.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class ValidateCommand implements Callable<Integer> {

  private static final String FOLDER = Settings.ROUTES_DIR;

  private final Map<String, String> variables;
  private final Commands.RouteCheck check;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  @Parameters(
      paramLabel = "DIR",
      arity = "0..1",
      description = "The folder (default: the value of " + FOLDER + ").")
  private Path folder;

  ValidateCommand(Map<String, String> variables, Commands.RouteCheck check) {
    this.variables = variables;
    this.check = check;
  }

  @Override
  public Integer call() throws ConfigException {
    if (folder == null) {
      String byDefault = variables.getOrDefault(FOLDER, "").strip();
      if (byDefault.isEmpty()) {
        throw new ParameterException(
            spec.commandLine(), "validate requires a folder, as DIR or in " + FOLDER);
      }
      folder = Path.of(byDefault);
    }
    if (!Files.isDirectory(folder)) {
      throw new ParameterException(spec.commandLine(), folder + " is not a folder");
    }
    PrintWriter out = spec.commandLine().getOut();
    List<String> problems = check.problems(folder);
    problems.forEach(out::println);
    if (problems.isEmpty()) {
      out.println("No errors in the route files of " + folder);
    }
    out.flush();
    return problems.isEmpty() ? Commands.SUCCESS : Commands.FAILED;
  }
}
