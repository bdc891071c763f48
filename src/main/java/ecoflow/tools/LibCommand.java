package ecoflow.tools;

import ecoflow.command.CallFailure;
import ecoflow.config.ConfigException;
import ecoflow.config.HttpSettings;
import ecoflow.config.Launcher;
import ecoflow.text.Lines;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.artifact.DefaultArtifact;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command lib, which the launcher adds to the other commands. */
@Command(
    name = "lib",
    description = "Manages jars of Camel components and Micrometer registries.",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n")
public final class LibCommand implements Runnable {

  private static final String ARTIFACT = "ARTIFACT";
  private static final long KILO = 1000;

  /** The option of all commands. */
  static final class Help {
    @Option(
        names = {"-h", "--help"},
        usageHelp = true,
        description = "Prints this help.")
    private boolean isRequested;
  }

  private final Map<String, String> variables;
  @Spec private CommandSpec spec;
  @Mixin private Help help;

  /**
   * @param variables the environment, with the directory of the jars in ECOFLOW_LIB_DIR
   */
  public LibCommand(Map<String, String> variables) {
    this.variables = variables;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "lib requires a command: add, list or remove");
  }

  @Command(
      name = "add",
      description = "Downloads artifacts, and all artifacts that they require.",
      parameterListHeading = "%n",
      optionListHeading = "%nOptions:%n")
  void add(
      @Mixin Help options,
      @Parameters(
              paramLabel = ARTIFACT,
              arity = "1..*",
              description =
                  "camel-NAME, micrometer-registry-NAME, GROUP:ARTIFACT or GROUP:ARTIFACT:VERSION.")
          List<String> arguments)
      throws ConfigException, CallFailure {
    LibDirectory lib = directory();
    ExporterVersions versions = ExporterVersions.read();
    Map<String, Artifact> artifacts = new LinkedHashMap<>();
    for (String coordinates : lib.added().keySet()) {
      put(artifacts, new DefaultArtifact(coordinates));
    }
    for (String argument : arguments) {
      put(artifacts, versions.parse(argument));
    }
    HttpSettings http = HttpSettings.from(variables);
    URI address = Launcher.mavenMirror(variables);
    if (http.caFile().isPresent()) {
      SSLContext.setDefault(HttpSettings.tls(http.trust()));
    }
    try (LibDirectory.Change change = lib.change();
        Repository repository = new Repository(address, http, versions, change.work())) {
      Map<String, Set<Artifact>> required = repository.required(artifacts.values());
      Map<String, Set<String>> added = new LinkedHashMap<>();
      required.forEach(
          (artifact, jars) ->
              added.put(
                  artifact,
                  jars.stream()
                      .map(Repository::fileName)
                      .collect(Collectors.toCollection(TreeSet::new))));
      Set<String> existing = LibDirectory.names(lib.added());
      existing.removeIf(jar -> lib.size(jar) == 0);
      List<Path> files =
          repository.download(
              required.values().stream()
                  .flatMap(Set::stream)
                  .distinct()
                  .filter(jar -> !existing.contains(Repository.fileName(jar)))
                  .toList());
      print("removed", lib, change.apply(files, added));
      print("added", lib, files.stream().map(file -> file.getFileName().toString()).toList());
      repository.warnings().forEach(line -> out().println("warning  " + line));
    }
    printTotal(lib);
  }

  private static void put(Map<String, Artifact> artifacts, Artifact artifact) {
    artifacts.put(artifact.getGroupId() + ":" + artifact.getArtifactId(), artifact);
  }

  @Command(
      name = "list",
      description = "Prints the added artifacts.",
      optionListHeading = "%nOptions:%n")
  int list(@Mixin Help options) throws ConfigException {
    LibDirectory lib = directory();
    boolean isComplete = true;
    for (Map.Entry<String, Set<String>> entry : lib.added().entrySet()) {
      out().println(entry.getKey() + "  " + total(lib, entry.getValue()));
      for (String jar : entry.getValue()) {
        if (lib.size(jar) == 0) {
          out().println("missing  " + jar + ": add the artifact again");
          isComplete = false;
        }
      }
    }
    printTotal(lib);
    return isComplete ? 0 : 1;
  }

  @Command(
      name = "remove",
      description = "Deletes artifacts, and the artifacts that only they require.",
      parameterListHeading = "%n",
      optionListHeading = "%nOptions:%n")
  void remove(
      @Mixin Help options,
      @Parameters(
              paramLabel = ARTIFACT,
              arity = "1..*",
              description = "An artifact in the output of list, with or without group and version.")
          List<String> arguments)
      throws ConfigException, CallFailure {
    LibDirectory lib = directory();
    Map<String, Set<String>> added = lib.added();
    for (String argument : arguments) {
      if (!added.keySet().removeIf(name -> (":" + name + ":").contains(":" + argument + ":"))) {
        throw new ConfigException(
            argument + " is not an added artifact: expected " + expected(added.keySet()));
      }
    }
    try (LibDirectory.Change change = lib.change()) {
      print("removed", lib, change.apply(List.of(), added));
    }
    printTotal(lib);
  }

  private static String expected(Collection<String> added) {
    return added.isEmpty() ? "nothing, no artifact was added" : Lines.abbreviate(added);
  }

  private LibDirectory directory() throws ConfigException {
    String path = variables.getOrDefault("ECOFLOW_LIB_DIR", "").strip();
    if (path.isEmpty()) {
      throw new ConfigException("lib requires ECOFLOW_LIB_DIR, the directory of the jars");
    }
    try {
      return new LibDirectory(Path.of(path));
    } catch (InvalidPathException e) {
      throw new ConfigException("ECOFLOW_LIB_DIR is not valid: expected a directory");
    }
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }

  private void print(String change, LibDirectory lib, Collection<String> jars) {
    for (String jar : jars) {
      long size = lib.size(jar);
      out().println(String.format("%-8s %s", change, jar) + (size == 0 ? "" : "  " + size(size)));
    }
  }

  private void printTotal(LibDirectory lib) throws ConfigException {
    out().println(total(lib, LibDirectory.names(lib.added())) + " in " + lib.path());
    out().flush();
  }

  private static String total(LibDirectory lib, Set<String> jars) {
    return jars.size()
        + (jars.size() == 1 ? " jar, " : " jars, ")
        + size(jars.stream().mapToLong(lib::size).sum());
  }

  private static String size(long bytes) {
    return bytes < KILO * KILO
        ? (bytes + KILO - 1) / KILO + " kB"
        : String.format(Locale.ROOT, "%.1f MB", (double) bytes / (KILO * KILO));
  }
}
