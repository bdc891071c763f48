package ecoflow.command;

import ecoflow.config.ConfigException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "replay",
    description = "Prints the series that result from a recording, or from messages in Kafka.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class ReplayCommand implements Callable<Integer> {

  private static final Pattern DURATION = Pattern.compile("([1-9][0-9]{0,5})([smhd])");

  private final Commands.Replay replay;
  private final Commands.History history;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  @Option(
      names = "--from-kafka",
      description = "Reads messages of collectors from Kafka. Requires ECOFLOW_ROLE=serve.")
  private boolean fromKafka;

  @Option(
      names = "--since",
      paramLabel = "AGE",
      description = "The age of the oldest message, such as 30m, 2h or 1d. Default: 1h.")
  private String since;

  @Parameters(
      arity = "0..1",
      paramLabel = "FILE",
      description = "A recording of ECOFLOW_RECORD_DIR, such as messages.jsonl.")
  private Path file;

  ReplayCommand(Commands.Replay replay, Commands.History history) {
    this.replay = replay;
    this.history = history;
  }

  @Override
  public Integer call() throws ConfigException, CallFailure {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    List<String> problems = new ArrayList<>();
    if (fromKafka == (file != null)) {
      throw new ParameterException(spec.commandLine(), "Expected either FILE or --from-kafka");
    }
    if (fromKafka) {
      try {
        history.series(age(), problems::add).forEach(out::println);
      } catch (IOException e) {
        throw new CallFailure("", e.getMessage());
      }
    } else {
      try {
        replay.series(file, problems::add).forEach(out::println);
      } catch (IOException e) {
        throw new CallFailure("", file + " is not a readable text file");
      }
    }
    problems.forEach(line -> err.println(Commands.NAME + ": " + line));
    return problems.isEmpty() ? Commands.SUCCESS : Commands.FAILED;
  }

  private Duration age() {
    Matcher parts = DURATION.matcher(since == null ? "1h" : since);
    if (!parts.matches()) {
      throw new ParameterException(
          spec.commandLine(),
          "Invalid value for --since: expected a number and s, m, h or d, such as 2h");
    }
    long number = Long.parseLong(parts.group(1));
    return switch (parts.group(2)) {
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      case "h" -> Duration.ofHours(number);
      default -> Duration.ofDays(number);
    };
  }
}
