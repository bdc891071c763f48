package ecoflow.normal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserRowsTest {

  @TempDir private Path directory;
  private final List<String> problems = new ArrayList<>();

  private Table load() {
    return Table.load(Optional.of(directory), problems::add);
  }

  private static double value(Table table, String serial, String key, double raw) {
    Plan plan = Plan.of(table, table.family(serial, "").orElseThrow(), serial, new String[] {key});
    double[] values = plan.values(new double[] {raw});
    return values.length == 0 ? Double.NaN : values[0];
  }

  @Test
  void linesAddFamiliesAndReplaceMeaningOfKey() throws IOException {
    Files.writeString(
        directory.resolve("families.csv"),
        "prefix,product,family\nQ999,,mine\nQ998,,house,30000\n");
    Files.writeString(
        directory.resolve("metrics.csv"),
        """
        # mine
        mine,*,bat.pct,battery_charge_ratio,,,0.01,high,yes
        house,rest,packs.{SN}.soc,battery_pack_charge_ratio,pack=rank({SN}),,0.01,high,yes

        delta2,*,pd.soc,battery_charge_ratio,,,0.001,high,yes
        """);
    Table table = load();
    assertEquals(List.of(), problems);
    assertEquals(0.81, value(table, "Q999X", "bat.pct", 81));
    assertEquals(0.81, value(table, "Q998X", "packs.A1.soc", 81));
    assertEquals(10_000, table.maxWatts(table.family("mine")));
    assertEquals(30_000, table.maxWatts(table.family("house")));
    assertEquals(60_000, table.maxWatts(table.family("powerocean")));
    assertEquals(0.081, value(table, "R331X", "pd.soc", 81));
    assertEquals(0.81, value(table, "R331X", "bms_emsStatus.f32LcdShowSoc", 81));
  }

  @Test
  void lineCanSetLongestSilence() throws IOException {
    Files.writeString(
        directory.resolve("families.csv"),
        "Q999,,mine,,600\nHW52,,smart_plug\nAC71,,wave3,,0\n,My Meter,meter,,86400\n");
    Table table = load();
    assertEquals(List.of(), problems);
    assertEquals(Duration.ofMinutes(10), table.silence("Q999X", "WAVE 3"));
    assertEquals(Duration.ofMinutes(3), table.silence("HW52X", ""), "as packaged");
    assertEquals(Duration.ZERO, table.silence("AC71X", "WAVE 3"));
    assertEquals(Duration.ofDays(1), table.silence("X", "my meter"));
    assertEquals(Duration.ofMinutes(50), table.silence("X", "PowerPulse 11kW"));
    assertEquals(Duration.ZERO, table.silence("R331X", "DELTA 2"));
    assertEquals(Duration.ZERO, table.silence("X", ""));
  }

  @Test
  void invalidLinesAreSkipped() throws IOException {
    Files.writeString(
        directory.resolve("families.csv"),
        "Q999,mine\nQ999,,mine,3kW\nQ999,,mine,,5min\nQ999,,mine,,86401\n");
    Files.writeString(
        directory.resolve("metrics.csv"),
        """
        delta2,*,a,battery_level,,,1,high,yes
        delta2,*,a,battery_charge_ratio,sock=1,,1,high,yes
        delta2,*,a,battery_charge_ratio,,hallo,1,high,yes
        delta2,*,a,battery_charge_ratio,,,0,high,yes
        delta2,*,a,battery_charge_ratio
        delta2,*,,battery_charge_ratio,,,1,high,yes
        delta2,*,mine,battery_charge_ratio,,,1,high,yes
        """);
    Table table = load();
    String start = directory.resolve("metrics.csv") + ":";
    String words =
        "first, fallback, net, sum_hours, this_device, where, zero_absent, ignore_zero, none,"
            + " parked, range, drop_above_100, flow, is, byteswap32, millis, millis_with_voltage,"
            + " fahrenheit_if, magnitude, split, native_total, native_day, native_session";
    assertEquals(
        List.of(
            directory.resolve("families.csv") + ":1 is skipped: 2 columns, expected 3 to 5",
            directory.resolve("families.csv")
                + ":2 is skipped: highest power 3kW: expected watts, or no value for 10000",
            directory.resolve("families.csv")
                + ":3 is skipped: longest silence 5min: expected whole seconds up to 86400, or"
                + " no value for a device that sends often",
            directory.resolve("families.csv")
                + ":4 is skipped: longest silence 86401: expected whole seconds up to 86400, or"
                + " no value for a device that sends often",
            start + "1 is skipped: unknown metric battery_level; docs/METRICS.md lists all metrics",
            start
                + "2 is skipped: label sock=1: expected name=value, with a name of [circuit,"
                + " component, kind,"
                + " origin, pack, phase, port, sensor, source, zone]",
            start + "3 is skipped: unknown rule hallo; allowed: " + words,
            start + "4 is skipped: factor 0: expected a number other than 0",
            start + "5 is skipped: 4 columns, expected 9",
            start + "6 is skipped: expected a family and a raw key"),
        problems);
    assertEquals(0.5, value(table, "R331X", "mine", 0.5));
  }

  @Test
  void linesWithInvalidRuleArgumentsAreSkipped() throws IOException {
    List<String> rules =
        List.of(
            "flow 1",
            "is",
            "none 1.2.3",
            "range 1",
            "range 1..x",
            "where a.b=1",
            "fahrenheit_if a",
            "first;fallback",
            "magnitude;split",
            "native_day;ignore_zero;native_total",
            "millis;parked;millis",
            "",
            "where a=1;range -5..5;none 1.5;is -2");
    Files.writeString(
        directory.resolve("metrics.csv"),
        rules.stream()
            .map(rule -> "delta2,*,a,battery_charge_ratio,," + rule + ",1,high,yes\n")
            .collect(Collectors.joining()));
    load();
    List<String> expected =
        List.of(
            "rule flow 1: expected flow",
            "rule is: expected is NUMBER",
            "rule none 1.2.3: expected none NUMBER",
            "rule range 1: expected range LOW..HIGH",
            "rule range 1..x: expected range LOW..HIGH",
            "rule where a.b=1: expected where FIELD=NUMBER",
            "rule fahrenheit_if a: expected fahrenheit_if KEY=NUMBER",
            "rules first and fallback: only one of them is allowed",
            "rules magnitude and split: only one of them is allowed",
            "rules native_day and native_total: only one of them is allowed",
            "rule millis is repeated");
    assertEquals(
        IntStream.range(0, expected.size())
            .mapToObj(
                i ->
                    "%s:%d is skipped: %s"
                        .formatted(directory.resolve("metrics.csv"), i + 1, expected.get(i)))
            .toList(),
        problems);
  }

  @Test
  void rawValueCanMeanNoValue() throws IOException {
    Files.writeString(
        directory.resolve("metrics.csv"),
        "delta2,*,mine,battery_charge_ratio,,none 255;zero_absent,0.01,high,yes\n");
    Table table = load();
    assertEquals(List.of(), problems);
    assertEquals(Double.NaN, value(table, "R331X", "mine", 255));
    assertEquals(Double.NaN, value(table, "R331X", "mine", 0));
    assertEquals(0.55, value(table, "R331X", "mine", 55));
  }

  @Test
  void directoryWithoutTablesChangesNothing() {
    assertEquals(0.81, value(load(), "R331X", "pd.soc", 81));
    assertEquals(List.of(), problems);
  }

  @Test
  void linesDefineConditionOfPart() throws IOException {
    Files.writeString(directory.resolve("families.csv"), "Q999,,mine\n");
    Files.writeString(
        directory.resolve("metrics.csv"), "mine,*,bat.pct,battery_charge_ratio,,,0.01,high,yes\n");
    Files.writeString(
        directory.resolve("parts.csv"),
        """
        families,part,rows,present,evidence
        # mine
        mine delta2,battery,metric=battery_charge_ratio,bat.in!=0,app shows none, and a manual
        delta2,pack,pack=main,x=1
        """);
    Table table = load();
    assertEquals(List.of(), problems);
    Table.Family mine = table.family("Q999X", "").orElseThrow();
    Plan plan = Plan.of(table, mine, "", new String[] {"bat.in", "bat.pct"});
    assertEquals(0.81, plan.values(new double[] {1, 81})[0]);
    assertEquals(Double.NaN, plan.values(new double[] {0, 81})[0]);
    assertEquals(0.81, value(table, "Q999X", "bat.pct", 81));
    assertEquals(Double.NaN, value(table, "R331X", "bms_bmsStatus.soc", 81));
  }

  @Test
  void invalidLinesOfPartsAreSkipped() throws IOException {
    Files.writeString(
        directory.resolve("parts.csv"),
        """
        delta2,pack,pack=main
        delta2,pack,,x=1
        ,pack,pack=main,x=1
        delta2,pack,pack=main,x is 1
        delta2,pack,pack=main,x=1|
        delta2,pack,pack=main,y=1
        """);
    Table table = load();
    String start = directory.resolve("parts.csv") + ":";
    String allowed = ": expected comparisons such as ems.bms1Online!=0";
    assertEquals(
        List.of(
            start + "1 is skipped: 3 columns, expected 4 or 5",
            start + "2 is skipped: expected families and rows",
            start + "3 is skipped: expected families and rows",
            start + "4 is skipped: condition x is 1" + allowed,
            start + "5 is skipped: condition x=1|" + allowed),
        problems);
    assertEquals(Double.NaN, value(table, "R331X", "bms_bmsStatus.soc", 81));
    assertEquals(0.81, value(table, "R331X", "pd.soc", 81));
  }
}
