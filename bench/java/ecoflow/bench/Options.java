package ecoflow.bench;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The options of the command line.
 *
 * @param <R> the rows that --only can select
 * @param commands the measured exporter, and optionally a second one
 * @param rounds number of repetitions of each load; the table shows medians
 */
record Options<R extends Enum<R>>(List<String> commands, Set<R> rows, boolean quick, int rounds) {

  /**
   * A program with these options.
   *
   * @param run the default of --run
   * @param runText describes this default
   */
  record Program<R extends Enum<R>>(String name, Class<R> rows, String run, String runText) {

    String usage() {
      return """
      %s [--only ROW,...] [--quick] [--rounds N] [--run COMMAND] [--beside COMMAND]
        --only    runs only these rows, of: %s
        --quick   uses a fraction of the messages, scrapes and minutes
        --rounds  number of repetitions of each load; reports medians (default 1)
        --run     command that starts the exporter (default %s)
        --beside  command of a second exporter, measured alternately with the first\
      """
          .formatted(
              name,
              Arrays.stream(rows.getEnumConstants())
                  .map(Options::text)
                  .collect(Collectors.joining(",")),
              runText);
    }

    /**
     * @throws IllegalArgumentException with one line for the user
     */
    Options<R> read(String... arguments) {
      String command = run;
      String beside = "";
      Set<R> selected = EnumSet.allOf(rows);
      boolean quick = false;
      int rounds = 1;
      Deque<String> rest = new ArrayDeque<>(List.of(arguments));
      while (!rest.isEmpty()) {
        String option = rest.pop();
        switch (option) {
          case "--quick" -> quick = true;
          case "--only" -> selected = select(value(option, rest));
          case "--rounds" -> rounds = Integer.parseInt(value(option, rest));
          case "--run" -> command = value(option, rest);
          case "--beside" -> beside = value(option, rest);
          default -> throw new IllegalArgumentException("unknown option " + option);
        }
      }
      return new Options<>(
          beside.isEmpty() ? List.of(command) : List.of(command, beside), selected, quick, rounds);
    }

    private Set<R> select(String names) {
      return Arrays.stream(names.split(","))
          .map(name -> Enum.valueOf(rows, name.strip().toUpperCase(Locale.ROOT)))
          .collect(Collectors.toCollection(() -> EnumSet.noneOf(rows)));
    }
  }

  static String text(Enum<?> row) {
    return row.name().toLowerCase(Locale.ROOT);
  }

  private static String value(String option, Deque<String> rest) {
    if (rest.isEmpty()) {
      throw new IllegalArgumentException(option + " requires a value");
    }
    return rest.pop();
  }

  /** A number of messages, scrapes or starts; a smaller one with --quick. */
  int size(int whole, int quickly) {
    return quick ? quickly : whole;
  }
}
