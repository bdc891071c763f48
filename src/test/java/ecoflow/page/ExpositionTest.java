package ecoflow.page;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.device.Labels;
import ecoflow.quota.TestStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ExpositionTest {

  private final TestStore store = new TestStore();
  private final Exposition.Names names = new Exposition.Names("ecoflow");

  @Test
  void writesFamiliesAcrossDevices() {
    store.record("SN2", Map.of("pd.soc", 85, "bms.cells", List.of(3301, 3302.5)));
    store.record("SN1", Map.of("pd_soc", 7, "bms", List.of(Map.of("cells", List.of(1e15)))));
    assertEquals(
        """
        # HELP ecoflow_bms_cells EcoFlow quota bms.cells
        # TYPE ecoflow_bms_cells gauge
        ecoflow_bms_cells{device="SN1",device_name="SN1 name",product_name="DELTA 2",device_general_key="k",index_0="0",index_1="0"} 1.0E15
        ecoflow_bms_cells{device="SN2",device_name="SN2 name",product_name="DELTA 2",device_general_key="k",index_0="0"} 3301.0
        ecoflow_bms_cells{device="SN2",device_name="SN2 name",product_name="DELTA 2",device_general_key="k",index_0="1"} 3302.5
        # HELP ecoflow_pd_soc EcoFlow quota pd_soc
        # TYPE ecoflow_pd_soc gauge
        ecoflow_pd_soc{device="SN1",device_name="SN1 name",product_name="DELTA 2",device_general_key="k"} 7.0
        ecoflow_pd_soc{device="SN2",device_name="SN2 name",product_name="DELTA 2",device_general_key="k"} 85.0
        """,
        text(false));
    assertEquals(text(false), text(true));
  }

  @Test
  void namesKeepTheirSuffixes() {
    List<String> names = List.of("x_bucket", "x_created", "x_info", "x_sum", "x_total");
    names.forEach(name -> store.record("SN", Map.of(name, 1)));
    for (boolean openMetrics : new boolean[] {false, true}) {
      assertEquals(
          names.stream().map(name -> "# TYPE ecoflow_" + name + " gauge").toList(),
          text(openMetrics).lines().filter(line -> line.startsWith("# TYPE")).toList());
    }
  }

  @Test
  void helpIsEscapedOnOneLine() {
    store.record("SN", Map.of("a\\b\n\"c\"\r\u2028\u0085温😀", 1));
    String name = "ecoflow_a_b__c______ ";
    assertEquals(
        "# HELP " + name + "EcoFlow quota a\\\\b\\n\"c\"   温😀",
        text(false).lines().findFirst().orElseThrow());
    assertEquals(
        "# HELP " + name + "EcoFlow quota a\\\\b\\n\\\"c\\\"   温😀",
        text(true).lines().findFirst().orElseThrow());
  }

  @Test
  void labelsAreEscaped() {
    PageBytes out = new PageBytes(16);
    Labels labels = new Labels("S\"N", "a\\b", "c\nd", "温 {},=");
    Exposition.appendGauge(out, "g", "h \"q\"", List.of(new Exposition.Sample(labels, 1)), false);
    assertEquals(
        """
        # HELP g h "q"
        # TYPE g gauge
        g{device="S\\"N",device_name="a\\\\b",product_name="c\\nd",device_general_key="温 {},="} 1.0
        """,
        text(out));
  }

  @Test
  void exporterGaugesCanHaveAnyValue() {
    PageBytes out = new PageBytes(16);
    List<Exposition.Sample> samples = new ArrayList<>();
    for (double value :
        new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      samples.add(new Exposition.Sample(new Labels("d", "n", "p", "k"), value));
    }
    Exposition.appendGauge(out, "ecoflow_online", "1 if online", samples, true);
    String start =
        "ecoflow_online{device=\"d\",device_name=\"n\",product_name=\"p\",device_general_key=\"k\"} ";
    assertEquals(
        List.of(
            "# HELP ecoflow_online 1 if online",
            "# TYPE ecoflow_online gauge",
            start + "0.0",
            start + "-1.0",
            start + "NaN",
            start + "+Inf",
            start + "-Inf"),
        text(out).lines().toList());
  }

  @Test
  void numbersAreFormattedLikeJava() {
    Random random = new Random(11);
    for (int i = 0; i < 200_000; i++) {
      double digits = random.nextInt() >> random.nextInt(32);
      double scale = Math.pow(10, random.nextInt(9) - 1);
      for (double value :
          new double[] {
            digits, digits / scale, Math.nextUp(digits / scale), (float) (digits / scale)
          }) {
        assertNumber(value);
      }
      double any = Double.longBitsToDouble(random.nextLong());
      if (Double.isFinite(any)) {
        assertNumber(any);
      }
    }
    for (double value :
        new double[] {0, -0.0, 1e7, 9999999, 9999999.999999, 0.001, 0.000999, -0.5, 1e-6, 1e15}) {
      assertNumber(value);
    }
  }

  private static void assertNumber(double value) {
    String text = text(new PageBytes(1).add(value));
    if (!text.equals(Double.toString(value))) {
      assertEquals(Double.toString(value), text);
    }
  }

  @Test
  void emptyStoreWritesNothing() {
    assertEquals("", text(true));
  }

  /** Random partial updates, compared with a simple model of the expected lines. */
  @Test
  void matchesSimpleModelForRandomMessages() {
    Random random = new Random(7);
    // Family -> order of the series (serial, indexes) -> line.
    Map<String, Map<String, String>> shown = new TreeMap<>();
    for (int message = 0; message < 2_000; message++) {
      String serial = "SN" + random.nextInt(3);
      Map<String, Object> quotas = new LinkedHashMap<>();
      for (int i = 0; i < 4; i++) {
        Object value = randomValue(random);
        quotas.put("dev.scalarNo" + i, value);
        show(shown, "ecoflow_dev_scalar_no" + i, serial, List.of(), value);
      }
      if (random.nextBoolean()) {
        Map<String, Object> inner = new HashMap<>();
        for (String member : List.of("volTotal", "ampInfo")) {
          if (random.nextBoolean()) {
            Object value = randomValue(random);
            inner.put(member, value);
            show(
                shown,
                member.equals("volTotal") ? "ecoflow_obj_vol_total" : "ecoflow_obj_amp_info",
                serial,
                List.of(),
                value);
          }
        }
        quotas.put("obj", inner);
      }
      if (random.nextBoolean()) {
        drop(shown, "ecoflow_list", serial);
        List<Object> list = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
          Object value = randomValue(random);
          show(shown, "ecoflow_list", serial, List.of(list.size()), value);
          list.add(value);
        }
        quotas.put("list", list);
      }
      if (random.nextBoolean()) {
        drop(shown, "ecoflow_pack_cell", serial);
        List<Object> packs = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
          Object[] cells = new Object[random.nextInt(3)];
          for (int j = 0; j < cells.length; j++) {
            cells[j] = randomValue(random);
            show(shown, "ecoflow_pack_cell", serial, List.of(packs.size(), j), cells[j]);
          }
          packs.add(Map.of("cell", Arrays.asList(cells)));
        }
        quotas.put("pack", packs);
      }
      store.record(serial, quotas);
      if (random.nextInt(50) == 0) {
        store.forget(serial);
        shown.keySet().forEach(name -> drop(shown, name, serial));
      }
      assertEquals(lines(shown), text(false).lines().toList());
    }
  }

  private static Object randomValue(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> null;
      case 1 -> "text";
      case 2 -> Double.NaN;
      case 3 -> random.nextBoolean();
      case 4 -> random.nextDouble();
      default -> random.nextInt(1_000);
    };
  }

  private static void show(
      Map<String, Map<String, String>> shown,
      String name,
      String serial,
      List<Integer> indexes,
      Object value) {
    Map<String, String> family = shown.computeIfAbsent(name, n -> new TreeMap<>());
    String number = null;
    if (value instanceof Boolean bool) {
      number = bool ? "1.0" : "0.0";
    } else if (value instanceof Integer integer) {
      number = integer + ".0";
    } else if (value instanceof Double real && !real.isNaN()) {
      number = real.toString();
    }
    if (number == null) {
      family.remove(serial + indexes);
      return;
    }
    String line =
        "%s{device=\"%s\",device_name=\"%s name\",product_name=\"DELTA 2\",device_general_key=\"k\""
            .formatted(name, serial, serial);
    for (int i = 0; i < indexes.size(); i++) {
      line += ",index_%d=\"%d\"".formatted(i, indexes.get(i));
    }
    family.put(serial + indexes, line + "} " + number);
  }

  private static void drop(Map<String, Map<String, String>> shown, String name, String serial) {
    shown.getOrDefault(name, Map.of()).keySet().removeIf(series -> series.startsWith(serial));
  }

  private static List<String> lines(Map<String, Map<String, String>> shown) {
    Map<String, String> keys =
        Map.of(
            "ecoflow_list", "list",
            "ecoflow_obj_amp_info", "obj.ampInfo",
            "ecoflow_obj_vol_total", "obj.volTotal",
            "ecoflow_pack_cell", "pack.cell");
    List<String> lines = new ArrayList<>();
    shown.forEach(
        (name, family) -> {
          if (!family.isEmpty()) {
            String scalarKey = name.replace("ecoflow_dev_scalar_no", "dev.scalarNo");
            lines.add("# HELP " + name + " EcoFlow quota " + keys.getOrDefault(name, scalarKey));
            lines.add("# TYPE " + name + " gauge");
            lines.addAll(family.values());
          }
        });
    return lines;
  }

  private String text(boolean openMetrics) {
    PageBytes all = new PageBytes(16);
    exposition(openMetrics).append(all, Integer.MAX_VALUE);
    // The size of the pieces does not change the page.
    Exposition pieces = exposition(openMetrics);
    PageBytes piece = new PageBytes(16);
    StringBuilder together = new StringBuilder();
    boolean more = true;
    for (int size = 1; more; size += 50) {
      piece.clear();
      more = pieces.append(piece, size);
      together.append(text(piece));
    }
    assertEquals(text(all), together.toString());
    return text(all);
  }

  private Exposition exposition(boolean openMetrics) {
    return new Exposition(
        store.snapshot(),
        serial -> Exposition.deviceLabels(new Labels(serial, serial + " name", "DELTA 2", "k")),
        names,
        openMetrics);
  }

  private static String text(PageBytes bytes) {
    byte[] copy = new byte[bytes.size()];
    bytes.copy(0, copy, 0, copy.length);
    return new String(copy, StandardCharsets.UTF_8);
  }
}
