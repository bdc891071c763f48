package ecoflow.command;

import ecoflow.text.Lines;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The formats of the command history. */
enum HistoryFormat {
  OPENMETRICS {
    @Override
    Stream<String> lines(List<Day> days, String prefix, ZoneId zone) {
      String name = prefix + "_reported_energy_joules";
      Stream<String> head =
          Stream.of(
              "# TYPE " + name + " gauge",
              "# UNIT " + name + " joules",
              "# HELP " + name + " Energy of a day that EcoFlow counted, in joules");
      // The format requires all samples of a series together, in the order of their times.
      Stream<String> samples =
          days.stream()
              .sorted(
                  Comparator.comparing((Day day) -> day.device().serial())
                      .thenComparing(Day::what)
                      .thenComparing(Day::date))
              .map(day -> name + labels(day) + " " + day.joules() + " " + end(day.date(), zone));
      return Stream.of(head, samples, Stream.of("# EOF")).flatMap(lines -> lines);
    }

    private String labels(Day day) {
      HistoryDevice device = day.device();
      return Stream.of(
              Lines.label("device", device.serial()),
              Lines.label("device_name", device.name()),
              Lines.label("product_name", device.product()),
              Lines.label("device_general_key", device.generalKey()),
              Lines.label("what", day.what()),
              Lines.label("period", "day"),
              // The value of the exporter at the end of the day.
              Lines.label("day", "today"))
          .collect(Collectors.joining(",", "{", "}"));
    }

    /** The last second of the day, in seconds since 1970. */
    private long end(LocalDate day, ZoneId zone) {
      return day.plusDays(1).atStartOfDay(zone).toEpochSecond() - 1;
    }
  },

  CSV {
    @Override
    Stream<String> lines(List<Day> days, String prefix, ZoneId zone) {
      return Stream.concat(
          Stream.of("day,device,device_name,product_name,what,joules"),
          days.stream()
              .sorted(
                  Comparator.comparing(Day::date)
                      .thenComparing(day -> day.device().serial())
                      .thenComparing(Day::what))
              .map(
                  day ->
                      String.join(
                          ",",
                          day.date().toString(),
                          day.device().serial(),
                          quoted(day.device().name()),
                          quoted(day.device().product()),
                          day.what(),
                          Double.toString(day.joules()))));
    }

    private String quoted(String text) {
      return text.matches("[^\",\r\n]*") ? text : "\"" + text.replace("\"", "\"\"") + "\"";
    }
  };

  /**
   * One energy of one day.
   *
   * @param what the kind of energy, such as solar
   */
  record Day(HistoryDevice device, String what, LocalDate date, double joules) {}

  /**
   * @param prefix the prefix of metric names
   * @param zone the time zone of the devices
   */
  abstract Stream<String> lines(List<Day> days, String prefix, ZoneId zone);
}
