package ecoflow.command;

import ecoflow.config.AccountSettings;
import ecoflow.config.ConfigException;
import ecoflow.config.Configuration;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
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
      "Checks the settings, the network, the cloud and the devices.",
      "Prints one line per check, with advice for each problem. It does not change anything."
    },
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "It uses the MQTT client ID of the exporter: a running exporter with the same",
      "settings loses its connection while check runs."
    })
final class CheckCommand implements Callable<Integer> {

  private static final int MAX_SECONDS = 3600;

  private final Map<String, String> variables;
  private final Commands.Exporter exporter;
  private final Clock clock;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;
  @Mixin private AccountOption option;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "30",
      description = "Seconds to wait for the first values (default: ${DEFAULT-VALUE}).")
  private int seconds;

  /** The lines about unknown variables, which are not repeated for further accounts. */
  private List<String> unknown = List.of();

  CheckCommand(Map<String, String> variables, Commands.Exporter exporter, Clock clock) {
    this.variables = variables;
    this.exporter = exporter;
    this.clock = clock;
  }

  @Override
  public Integer call() throws ConfigException, CallFailure {
    if (seconds < 1 || seconds > MAX_SECONDS) {
      throw new ParameterException(
          spec.commandLine(), "--seconds must be a whole number from 1 to " + MAX_SECONDS);
    }
    unknown = Configuration.unknownVariables(variables);
    return option.forEach(variables, spec, this::check);
  }

  private int check(AccountSettings account) throws ConfigException {
    Findings findings = new Findings(spec.commandLine().getOut());
    new Check(account, exporter, clock, Duration.ofSeconds(seconds), findings).run(unknown);
    unknown = List.of();
    return findings.hasFailed() ? Commands.FAILED : Commands.SUCCESS;
  }
}
