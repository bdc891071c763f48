package ecoflow.command;

import ecoflow.config.AccountSettings;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.text.Lines;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "history",
    description = "Writes the energy of each day that EcoFlow counted. Requires developer keys.",
    optionListHeading = "%nOptions:%n")
final class HistoryCommand implements Callable<Integer> {

  private static final int MAX_YEARS = 10;

  private final Map<String, String> variables;
  private final Commands.Exporter exporter;
  private final Clock clock;
  private final List<HistoryFormat.Day> days = new ArrayList<>();
  private final Set<String> found = new TreeSet<>();
  private final Set<String> collected = new HashSet<>();
  private Progress progress;
  private String prefix = "ecoflow";
  private boolean isIncomplete;
  @Spec private CommandSpec spec;
  @Mixin private Top.Help help;
  @Mixin private AccountOption option;

  @Option(
      names = "--from",
      required = true,
      paramLabel = "DATE",
      description = "The first day, such as 2026-08-01.")
  private String from;

  @Option(names = "--to", paramLabel = "DATE", description = "The last day. Default: yesterday.")
  private String to;

  @Option(names = "--device", paramLabel = "SN", description = "Only this device. Can be repeated.")
  private List<String> serials = List.of();

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "openmetrics, with time stamps for promtool, or csv. Default: openmetrics.")
  private String format = "openmetrics";

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description =
          "The file to write, instead of the standard output. Answers are kept in FILE.state, so"
              + " that the next run continues after an interruption.")
  private Path output;

  /**
   * @param clock in the time zone of the devices
   */
  HistoryCommand(Map<String, String> variables, Commands.Exporter exporter, Clock clock) {
    this.variables = variables;
    this.exporter = exporter;
    this.clock = clock;
  }

  @Override
  public Integer call() throws ConfigException, CallFailure {
    LocalDate today = LocalDate.now(clock);
    LocalDate first = date("--from", from);
    LocalDate last = to == null ? today.minusDays(1) : date("--to", to);
    if (!last.isBefore(today)) {
      throw invalid("--to", to, "a day before today, " + today);
    }
    if (first.isAfter(last) || first.isBefore(today.minusYears(MAX_YEARS))) {
      throw invalid("--from", from, "a day that is not after " + last + ", in the last 10 years");
    }
    HistoryFormat chosen = format();
    if (output != null && !isWritable(output)) {
      throw invalid("--output", output.toString(), "a file in a writable directory");
    }
    Map<String, String> all = new HashMap<>(variables);
    if (all.getOrDefault("ECOFLOW_DEVICE_SN", "").isBlank()
        && all.getOrDefault(Settings.ACCOUNTS_FILE, "").isBlank()) {
      all.put("ECOFLOW_DEVICE_SN", "all");
    }
    progress = new Progress(spec.commandLine().getErr(), System.console() != null);
    List<LocalDate> wanted = first.datesUntil(last.plusDays(1)).toList();
    int code;
    try (HistoryState state =
        output == null ? HistoryState.inMemory() : HistoryState.open(stateFile())) {
      code =
          option.forEach(
              all, spec, spec.commandLine().getErr(), account -> collect(account, state, wanted));
    } catch (IOException e) {
      throw cannotWrite(stateFile(), e);
    }
    if (isIncomplete) {
      return Commands.FAILED;
    }
    for (String serial : serials) {
      if (!found.contains(serial.toUpperCase(Locale.ROOT))) {
        report(Commands.printed(serial) + " is not in the device list or not in ECOFLOW_DEVICE_SN");
        code = Commands.FAILED;
      }
    }
    write(chosen.lines(days, prefix, clock.getZone()).toList());
    return code;
  }

  private static boolean isWritable(Path file) {
    Path directory = file.toAbsolutePath().getParent();
    return directory != null
        && Files.isDirectory(directory)
        && Files.isWritable(directory)
        // A device such as /dev/stdout would be replaced by a file.
        && (Files.notExists(file) || Files.isRegularFile(file));
  }

  private LocalDate date(String name, String text) {
    try {
      return LocalDate.parse(text);
    } catch (DateTimeException e) {
      throw invalid(name, text, "a date such as 2026-08-01");
    }
  }

  private HistoryFormat format() {
    try {
      return HistoryFormat.valueOf(format.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw invalid("--format", format, "openmetrics or csv");
    }
  }

  private ParameterException invalid(String name, String value, String allowed) {
    return new ParameterException(
        spec.commandLine(), "Invalid value for " + name + " '" + value + "': expected " + allowed);
  }

  private Path stateFile() {
    return output.resolveSibling(output.getFileName() + ".state");
  }

  private int collect(AccountSettings account, HistoryState state, List<LocalDate> wanted)
      throws ConfigException, CallFailure {
    Settings settings = account.settings();
    prefix = settings.page().prefix();
    if (settings.mode().usesAccount()) {
      String reason =
          "EcoFlow's energy history requires developer keys, and the mode is "
              + settings.mode().label();
      if (account.name().isEmpty()) {
        throw new ConfigException(reason);
      }
      report(reason);
      return Commands.SUCCESS;
    }
    try (Commands.Cloud cloud = exporter.open(settings)) {
      return collect(cloud, devices(cloud), state, wanted);
    } catch (CallFailure e) {
      progress.clear();
      isIncomplete = true;
      throw output == null
          ? e
          : new CallFailure(
              "",
              e.getMessage()
                  + "; run the command again to continue: "
                  + stateFile()
                  + " contains the answers so far");
    } catch (IOException e) {
      progress.clear();
      isIncomplete = true;
      throw cannotWrite(stateFile(), e);
    }
  }

  /** The selected devices that have a history and are not those of an earlier account. */
  private List<HistoryDevice> devices(Commands.Cloud cloud) throws CallFailure {
    List<HistoryDevice> selected = new ArrayList<>();
    for (HistoryDevice device : cloud.historyDevices()) {
      if (!serials.isEmpty() && serials.stream().noneMatch(device.serial()::equalsIgnoreCase)) {
        continue;
      }
      found.add(device.serial());
      if (!device.absence().isEmpty()) {
        report(device.serial() + " is skipped: " + device.absence());
      } else if (device.codes().isEmpty()) {
        report(
            device.serial()
                + " is skipped: EcoFlow has no energy history of the model "
                + device.product());
      } else if (collected.add(device.serial())) {
        selected.add(device);
      }
    }
    selected.sort(Comparator.comparing(HistoryDevice::serial));
    return selected;
  }

  private int collect(
      Commands.Cloud cloud, List<HistoryDevice> devices, HistoryState state, List<LocalDate> wanted)
      throws CallFailure, IOException {
    int total = devices.stream().mapToInt(device -> device.codes().size()).sum() * wanted.size();
    int done = 0;
    Set<String> problems = new LinkedHashSet<>();
    for (HistoryDevice device : devices) {
      boolean isOffline = false;
      for (String code : device.codes()) {
        boolean isRefused = false;
        for (LocalDate day : wanted) {
          progress.show(done++, total, device.serial() + " " + day);
          Optional<Map<String, Double>> known = state.get(device.serial(), code, day);
          if (known.isPresent()) {
            add(device, day, known.get());
          } else if (!isOffline && !isRefused) {
            try {
              add(device, day, energy(cloud, device, code, day, state, problems));
            } catch (CallFailure e) {
              if (!e.isAboutDevice()) {
                throw e;
              }
              // The same call for another day would fail as well.
              isOffline = e.isDeviceOffline();
              isRefused = true;
              problems.add(
                  device.serial() + (isOffline ? "" : " (" + code + ")") + ": " + e.getMessage());
            }
          }
        }
      }
    }
    progress.clear();
    problems.forEach(this::report);
    return problems.isEmpty() ? Commands.SUCCESS : Commands.FAILED;
  }

  private void add(HistoryDevice device, LocalDate day, Map<String, Double> energies) {
    energies.forEach((what, joules) -> days.add(new HistoryFormat.Day(device, what, day, joules)));
  }

  private Map<String, Double> energy(
      Commands.Cloud cloud,
      HistoryDevice device,
      String code,
      LocalDate day,
      HistoryState state,
      Set<String> problems)
      throws CallFailure, IOException {
    DayEnergy answer = cloud.energy(device.serial(), code, day);
    // EcoFlow can receive values of yesterday late.
    if (answer.problems().isEmpty() && day.isBefore(LocalDate.now(clock).minusDays(1))) {
      state.put(device.serial(), code, day, answer.joules());
    }
    answer.problems().forEach(text -> problems.add(device.serial() + " (" + code + "): " + text));
    return answer.joules();
  }

  private void report(String line) {
    spec.commandLine().getErr().println(Commands.NAME + ": " + line);
  }

  private void write(List<String> lines) throws CallFailure {
    if (output == null) {
      PrintWriter out = spec.commandLine().getOut();
      lines.forEach(line -> out.print(line + "\n"));
      if (out.checkError()) {
        throw new CallFailure("", "cannot write the standard output");
      }
      return;
    }
    Path part = output.resolveSibling(output.getFileName() + ".part");
    try {
      Files.write(part, (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
      Files.move(part, output, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw cannotWrite(output, e);
    }
  }

  private static CallFailure cannotWrite(Path file, IOException failure) {
    return new CallFailure("", "cannot write " + file + ": " + Lines.oneLine(failure.getMessage()));
  }
}
