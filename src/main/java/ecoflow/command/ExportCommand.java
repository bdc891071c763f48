package ecoflow.command;

import ecoflow.config.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "export",
    description = "Writes the packaged route files to a directory for editing.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class ExportCommand implements Callable<Integer> {

  private final Commands.Exporter exporter;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  @Option(names = "--force", description = "Overwrites existing files.")
  private boolean force;

  @Parameters(
      paramLabel = "DIR",
      description = "The directory; it is created if it does not exist.")
  private Path directory;

  ExportCommand(Commands.Exporter exporter) {
    this.exporter = exporter;
  }

  @Override
  public Integer call() throws CallFailure, ConfigException {
    PrintWriter out = spec.commandLine().getOut();
    List<String> files = exporter.routeFiles();
    int kept = 0;
    try {
      Files.createDirectories(directory);
      for (String file : files) {
        Path target = directory.resolve(file);
        if (!force && Files.exists(target)) {
          kept++;
          out.println("kept   " + target + ": it already exists");
        } else {
          write(file, target);
          out.println("wrote  " + target);
        }
      }
    } catch (FileAlreadyExistsException e) {
      throw new CallFailure("", e.getFile() + " is not a directory");
    } catch (IOException e) {
      throw new CallFailure(
          "", "cannot write to " + directory + " (" + Commands.printed("" + e) + ")");
    }
    if (kept > 0) {
      out.println("Kept " + kept + " of " + files.size() + " files; --force overwrites them");
    }
    out.flush();
    return kept == 0 ? Commands.SUCCESS : Commands.FAILED;
  }

  private void write(String file, Path target) throws IOException {
    try (InputStream content = exporter.openRouteFile(file)) {
      if (force) {
        Files.copy(content, target, StandardCopyOption.REPLACE_EXISTING);
      } else {
        Files.copy(content, target);
      }
    }
  }
}
