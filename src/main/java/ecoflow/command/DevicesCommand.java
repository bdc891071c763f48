package ecoflow.command;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "devices",
    description = "Lists the devices of each account or of the developer keys.",
    optionListHeading = "%nOptions:%n")
final class DevicesCommand implements Callable<Integer> {

  private static final String WANTED = "ECOFLOW_DEVICE_SN";

  private final Map<String, String> variables;
  private final Commands.Exporter exporter;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;
  @Mixin private AccountOption option;

  DevicesCommand(Map<String, String> variables, Commands.Exporter exporter) {
    this.variables = variables;
    this.exporter = exporter;
  }

  @Override
  public Integer call() throws ConfigException, CallFailure {
    Map<String, String> all = new HashMap<>(variables);
    if (all.getOrDefault(WANTED, "").isBlank()
        && all.getOrDefault(Settings.ACCOUNTS_FILE, "").isBlank()) {
      // Users who do not know their serial numbers run this command to find them.
      all.put(WANTED, "all");
    }
    return option.forEach(all, spec, account -> list(account.settings()));
  }

  private int list(Settings settings) throws ConfigException, CallFailure {
    List<ListedDevice> devices;
    try (Commands.Cloud cloud = exporter.open(settings)) {
      cloud.login();
      devices = cloud.devices();
    }
    Table table = new Table("SERIAL", "NAME", "PRODUCT", "ONLINE", "DECODER");
    devices.stream()
        .sorted(Comparator.comparing(ListedDevice::serial))
        .forEach(
            device ->
                table.add(
                    device.serial(),
                    device.name(),
                    device.product(),
                    device.online() ? "yes" : "no",
                    device.decoder()));
    table.print(spec.commandLine().getOut());
    return Commands.SUCCESS;
  }
}
