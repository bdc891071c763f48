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
 * @param commands the measured exporter, and optionally a second one
 * @param rounds number of repetitions of each load; the table shows medians
 */
record Options(List<String> commands, Set<Row> rows, boolean quick, int rounds) {

  /** The rows that --only can select. */
  enum Row {
    JSON30,
    JSON170,
    FRAME40,
    FRAME250,
    SCRAPE,
    START,
    IDLE,
    DEVICES,
    ACCOUNTS;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final String USAGE =
      """
      bench/macro [--only ROW,...] [--quick] [--rounds N] [--run COMMAND] [--beside COMMAND]
        --only    runs only these rows, of: %s
        --quick   uses a fraction of the messages, scrapes and minutes
        --rounds  number of repetitions of each load; reports medians (default 1)
        --run     command that starts the exporter (default java -jar target/ecoflow-exporter.jar)
        --beside  command of a second exporter, measured alternately with the first\
      """
          .formatted(
              Arrays.stream(Row.values()).map(Row::toString).collect(Collectors.joining(",")));

  private static final String JAR = "java -jar target/ecoflow-exporter.jar";

  /**
   * @throws IllegalArgumentException with one line for the user
   */
  static Options read(String... arguments) {
    String run = JAR;
    String beside = "";
    Set<Row> rows = EnumSet.allOf(Row.class);
    boolean quick = false;
    int rounds = 1;
    Deque<String> rest = new ArrayDeque<>(List.of(arguments));
    while (!rest.isEmpty()) {
      String option = rest.pop();
      switch (option) {
        case "--quick" -> quick = true;
        case "--only" -> rows = rows(value(option, rest));
        case "--rounds" -> rounds = Integer.parseInt(value(option, rest));
        case "--run" -> run = value(option, rest);
        case "--beside" -> beside = value(option, rest);
        default -> throw new IllegalArgumentException("unknown option " + option);
      }
    }
    return new Options(beside.isEmpty() ? List.of(run) : List.of(run, beside), rows, quick, rounds);
  }

  private static Set<Row> rows(String names) {
    return Arrays.stream(names.split(","))
        .map(name -> Row.valueOf(name.strip().toUpperCase(Locale.ROOT)))
        .collect(Collectors.toCollection(() -> EnumSet.noneOf(Row.class)));
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
