package ecoflow.command;

import ecoflow.config.ConfigException;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "check",
    description = {
      "Looks for what is wrong, from settings to first values.",
      "Each line tells what to do about it. It reads only; no device is changed."
    },
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "It connects with the MQTT client id of the exporter: one with the same settings",
      "that runs is disconnected for that time."
    })
final class CheckCommand implements Callable<Integer> {

  private static final int MOST_SECONDS = 3600;

  private final Map<String, String> variables;
  private final Commands.Exporter exporter;
  private final Clock clock;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "30",
      description = "How long to wait for first values; ${DEFAULT-VALUE} if not given.")
  private int seconds;

  CheckCommand(Map<String, String> variables, Commands.Exporter exporter, Clock clock) {
    this.variables = variables;
    this.exporter = exporter;
    this.clock = clock;
  }

  @Override
  public Integer call() throws ConfigException {
    if (seconds < 1 || seconds > MOST_SECONDS) {
      throw new ParameterException(
          spec.commandLine(), "--seconds takes a whole number from 1 to " + MOST_SECONDS);
    }
    Findings findings = new Findings(spec.commandLine().getOut());
    new Check(variables, exporter, clock, Duration.ofSeconds(seconds), findings).run();
    return findings.hasFailed() ? Commands.FAILED : Commands.FINE;
  }
}
