package ecoflow.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.api.CloudException;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The values in answers with EcoFlow's energy history. */
class HistoryAnswerTest {

  private static final String SOLAR =
      "BK621-App-HOME-SOLAR-ENERGY-FLOW-solor-line-NOTDISTINGUISH-MASTER_DATA";
  private static final String GRID =
      "BK621-App-HOME-GRID-ENERGY-FLOW-grid_prop_bar-NOTDISTINGUISH-MASTER_DATA";
  private static final String POWEROCEAN = "JT303_Dashboard_Overview_Summary_Week";

  private static HistoryAnswer read(String code, String json) throws Exception {
    return HistoryAnswer.of(new ObjectMapper().readValue(json, Object.class), code);
  }

  private static HistoryAnswer entries(String code, String json) throws Exception {
    return read(code, "{\"data\": [" + json + "]}");
  }

  private static String entry(String index, String value, String unit) {
    return "{\"indexName\": \"%s\", \"indexValue\": %s, \"unit\": \"%s\"}"
        .formatted(index, value, unit);
  }

  private static List<String> reasons(HistoryAnswer answer) {
    return answer.problems().stream().map(HistoryAnswer.Problem::reason).toList();
  }

  @ParameterizedTest
  @CsvSource({
    "\"9945\", wh, 35802000",
    "9945, Wh, 35802000",
    "9.945, kWh, 35802000",
    "\"0.5\", KWH, 1800000",
    "0, wh, 0"
  })
  void theUnitOfTheAnswerDeterminesTheEnergy(String value, String unit, double joules)
      throws Exception {
    HistoryAnswer answer = entries(SOLAR, entry("master_data", value, unit));

    assertEquals(List.of(), answer.problems());
    assertEquals(joules, answer.joules().get("solar"), 1e-6);
  }

  @Test
  void theFieldExtraIsTheDirection() throws Exception {
    HistoryAnswer answer =
        entries(
            GRID,
            """
            {"indexName": "master_data", "indexValue": "120", "unit": "wh", "extra": "1"},
            {"indexName": "master_data", "indexValue": "30", "unit": "wh", "extra": 2}
            """);

    assertEquals(Map.of("grid_import", 432000.0, "grid_export", 108000.0), answer.joules());
    assertEquals(List.of(), answer.problems());
  }

  @Test
  void theSpellingOfAnIndexNameIsIgnored() throws Exception {
    for (String name : List.of("Solar Generation", "solarGeneration", "Solar-generation")) {
      assertEquals(
          Map.of("solar", 3.6e6), entries(POWEROCEAN, entry(name, "1", "kWh")).joules(), name);
    }
  }

  @Test
  void anUnknownUnitHasNoValue() throws Exception {
    HistoryAnswer answer = entries(SOLAR, entry("master_data", "1", "MWh"));

    assertEquals(Map.of(), answer.joules());
    assertEquals(
        List.of(new HistoryAnswer.Problem("unit", "solar has the unknown unit 'MWh'")),
        answer.problems());
  }

  @Test
  void anUnknownEnergyIsReportedAndOtherQuantitiesAreIgnored() throws Exception {
    HistoryAnswer answer =
        entries(
            POWEROCEAN,
            entry("Heat Pump", "1", "kWh")
                + ","
                + entry("Self-sufficiency", "80", "%")
                + ","
                + entry("Battery Charge", "2", "kWh"));

    assertEquals(Map.of("battery_charge", 7.2e6), answer.joules());
    assertEquals(
        List.of(new HistoryAnswer.Problem("index", "'Heat Pump' is unknown")), answer.problems());
  }

  @ParameterizedTest
  @CsvSource({"-1", "\"NaN\"", "\"\"", "\"1e999\"", "\"12 kWh\"", "true"})
  void anInvalidEnergyHasNoValue(String value) throws Exception {
    HistoryAnswer answer = entries(SOLAR, entry("master_data", value, "wh"));

    assertEquals(Map.of(), answer.joules());
    assertEquals(List.of("value"), reasons(answer));
  }

  @Test
  void severalValuesOfOneEnergyHaveNoValue() throws Exception {
    HistoryAnswer answer =
        entries(
            SOLAR,
            entry("master_data", "1", "wh")
                + ","
                + entry("master_data", "2", "wh")
                + ","
                + entry("master_data", "3", "wh"));

    assertEquals(Map.of(), answer.joules());
    assertEquals(List.of("value", "value"), reasons(answer));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}",
        "{\"data\": null}",
        "{\"code\": \"0\", \"data\": []}",
        "{\"data\": [null, 1, {\"indexName\": \"master_data\", \"unit\": \"wh\"}]}"
      })
  void anAnswerWithoutValuesIsNotAnError(String json) throws Exception {
    HistoryAnswer answer = read(SOLAR, json);

    assertEquals(Map.of(), answer.joules());
    assertEquals(List.of(), answer.problems());
  }

  @Test
  void anErrorInTheDataIsAFailure() {
    CloudException failure =
        assertThrows(
            CloudException.class,
            () -> read(SOLAR, "{\"code\": \"1006\", \"message\": \"device is offline\"}"));

    assertEquals("1006", failure.code());
    assertEquals(true, failure.isDeviceOffline());
    for (String unknown : List.of("[1]", "{\"data\": {}}", "{\"data\": \"\"}", "{\"data\": 0}")) {
      assertThrows(CloudException.class, () -> read(SOLAR, unknown), unknown);
    }
  }

  @Test
  void theRequestIsOneWholeDay() {
    HistoryRequest request = new HistoryRequest("BK61Z1", SOLAR, LocalDate.of(2026, 2, 28));

    assertEquals(
        Map.of(
            "sn",
            "BK61Z1",
            "params",
            Map.of(
                "beginTime", "2026-02-28 00:00:00",
                "endTime", "2026-02-28 23:59:59",
                "code", SOLAR)),
        request.parameters());
  }
}
