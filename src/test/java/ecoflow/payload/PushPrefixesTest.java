package ecoflow.payload;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PushPrefixesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<String> unknown = new ArrayList<>();
  private final PushPrefixes prefixes =
      new PushPrefixes(serial -> Optional.empty(), this::countUnknown);

  private void countUnknown(String by, String code) {
    unknown.add(by + " " + code);
  }

  private Map<?, ?> withPrefixes(Map<?, ?> push, String serial) {
    return prefixes.withPrefixes(push, serial, this::countUnknown);
  }

  private static Map<?, ?> map(String text) {
    try {
      return JSON.readValue(text.replace('\'', '"'), Map.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private Object keysOf(String push, String serial) {
    return ((Map<?, ?>) withPrefixes(map(push), serial).get("params")).keySet().toString();
  }

  private void learn(String serial, String quotas) {
    Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    exchange.getMessage().setHeader("EcoflowDevice", serial);
    exchange.getMessage().setBody(map(quotas));
    prefixes.storePackNumbers(exchange);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // The type code takes precedence.
        "{'typeCode':'pdStatus','addr':'d_addr','cmdFunc':2,'cmdId':1,'params':{'a':1}} | pd.a",
        // The address takes precedence over the command if the table contains it.
        "{'addr':'d_addr','cmdFunc':2,'cmdId':1,'params':{'a':1}} | a",
        "{'addr':'hs_yj751_bms_slave_addr_3','cmdFunc':3,'cmdId':28,'params':{'a':1}}"
            + " | hs_yj751_bms_slave_addr.3.a",
        "{'cmdFunc':2,'cmdId':1,'params':{'a':1}} | 2_1.a",
        "{'cmdFunc':2,'cmdId':2,'params':{'a':1}} | 2_2.a",
        "{'cmdFunc':20,'cmdId':134,'param':{'a':1}} | 20_134.a",
        // A push without a body.
        "{'cmdFunc':254,'cmdId':21,'version':'1.0','src':2,'dest':32,'a':1} | a",
        "{'cmdFunc':96,'cmdId':8,'data':{'params':{'bpSoc':1}}} | bpSoc",
        "{'moduleType':15370,'moduleSn':'M1','params':{'a':1}} | 15370.M1.a",
        "{'moduleType':5,'params':{'a':1}} | mppt.a",
        "{'moduleType':9,'params':{'a':1}} | a",
        // Zeros denote unused members.
        "{'addr':0,'cmdFunc':0,'cmdId':0,'moduleType':'1','params':{'pd.a':1,'b':1}} | pd.a, pd.b",
        "{'addr':'0','cmdFunc':0,'cmdId':0,'params':{'a':1}} | a",
        "{'addr':0,'cmdFunc':2,'cmdId':1,'params':{'a':1}} | 2_1.a",
        "{'addr':'d_addr','cmdFunc':0,'cmdId':0,'params':{'a':1}} | a",
        "{'typeCode':0,'moduleType':0,'moduleSn':'0','params':{'a':1}} | a",
        "{'addr':0.0,'cmdFunc':0.0,'cmdId':0.0,'params':{'a':1}} | a",
        "{'addr':'0.0','typeCode':'00','moduleType':' 0 ','params':{'a':1}} | a",
        "{'addr':null,'cmdFunc':null,'cmdId':null,'moduleType':null,'params':{'a':1}} | a",
        "{'cmdFunc':'0','cmdId':'0','moduleType':'1','params':{'a':1}} | pd.a",
        "{'cmdFunc':0,'cmdId':21,'moduleType':-0,'params':{'a':1}} | a",
        // A push with keys that already have their prefix.
        "{'typeCode':'pdStatus','params':{'pd.a':1,'b':2}} | pd.a, pd.b",
        "{'cmdFunc':20,'cmdId':1,'param':{'20_1.a':1,'b':2}} | 20_1.a, 20_1.b",
        "{'moduleType':1,'params':{'ems.a':1}} | ems.a",
        "{'moduleType':2,'params':{'ems.a':1}} | ems.a"
      })
  void partOfPushDeterminesPrefix(String push, String keys) {
    assertEquals("[" + keys + "]", keysOf(push, "TEST"));
    assertEquals(List.of(), unknown);
  }

  @Test
  void commandCanDenoteDifferentPartsByModel() {
    String push = "{'cmdFunc':2,'cmdId':1,'param':{'a':1}}";
    assertEquals("[2_1.a]", keysOf(push, "HW52Z"));
    assertEquals("[hs_yj751_pd_appshow_addr.a]", keysOf(push, "Y711Z"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'typeCode':'newStatus','params':{'soc':1}} | newStatus.soc | type_code newStatus",
        "{'typeCode':'a.b[0]','params':{'soc':1}} | a_b_0_.soc | type_code a_b_0_",
        "{'addr':'x','cmdFunc':7,'cmdId':8,'params':{'soc':1}} | 7_8.soc | command 7_8",
        "{'addr':'x_addr','params':{'soc':1}} | x_addr.soc | addr x_addr",
        "{'moduleType':2,'params':{'soc':1}} | '' | module_type 2",
        "{'moduleType':4,'params':{'soc':1}} | '' | module_type 4",
        "{'cmdFunc':3,'cmdId':28,'param':{'soc':1,'packSn':'P'}} | '' | pack other",
        "{'cmdFunc':3,'cmdId':28,'param':{'soc':1}} | '' | pack other"
      })
  void unknownPartsHaveTheirOwnSeriesAndAreCounted(String push, String keys, String counted) {
    assertEquals("[" + keys + "]", keysOf(push, "Y711Z"));
    assertEquals(List.of(counted), unknown);
  }

  @Test
  void packUsesLatestNumber() {
    String push = "{'cmdFunc':3,'cmdId':28,'param':{'soc':1,'packSn':'P1'}}";
    learn("Y711A", "{'hs_yj751_bms_slave_addr.1.packSn':'P1','x.packSn':'P1'}");
    assertEquals(
        "[hs_yj751_bms_slave_addr.1.soc, hs_yj751_bms_slave_addr.1.packSn]", keysOf(push, "Y711A"));
    assertEquals("[]", keysOf(push, "Y711B"), "of another device");
    learn("Y711A", "{'hs_yj751_bms_slave_addr.1.packSn':'P2'}");
    assertEquals("[]", keysOf(push, "Y711A"), "another pack is in its place");
    keysOf("{'addr':'hs_yj751_bms_slave_addr_4','params':{'packSn':'P1'}}", "Y711A");
    assertEquals(
        "[hs_yj751_bms_slave_addr.4.soc, hs_yj751_bms_slave_addr.4.packSn]", keysOf(push, "Y711A"));
  }

  @Test
  void onlyFirstGenerationStringsAreNumbers() {
    assertEquals(
        map("{'params':{'pd.soc':80.0,'pd.model':'1-2','serial':'123'}}"),
        withPrefixes(map("{'params':{'pd.soc':'80','pd.model':'1-2','serial':'123'}}"), "D"));
    assertEquals(
        map("{'params':{'pd.sn':'123'}}"),
        withPrefixes(map("{'typeCode':'pdStatus','params':{'sn':'123'}}"), "R"));
  }

  @Test
  void unreadableMessagesRemainUnchanged() {
    for (String push : List.of("{'params':5}", "{'typeCode':'pdStatus'}", "{'id':1,'sn':'X'}")) {
      assertEquals(map(push), withPrefixes(map(push), "R"));
    }
  }

  @Test
  void recordedPushesHaveKeysOfQuotaAll() throws IOException {
    int compared = 0;
    for (Object item :
        JSON.readValue(
            Files.readString(Path.of("src/test/resources/open-pushes.json")), List.class)) {
      Map<?, ?> sample = (Map<?, ?>) item;
      if (sample.get("push") instanceof Map<?, ?> push) {
        String serial = sample.get("serial") + "ZTEST";
        if (sample.get("known") != null) {
          learn(serial, JSON.writeValueAsString(sample.get("known")));
        }
        assertEquals(
            flat("", sample.get("quotas")),
            flat("", withPrefixes(push, serial).get("params")),
            () -> "" + sample.get("device"));
        compared++;
      }
    }
    assertEquals(16, compared);
    assertEquals(List.of(), unknown);
  }

  private static Map<String, Object> flat(String prefix, Object values) {
    Map<String, Object> flat = new LinkedHashMap<>();
    ((Map<?, ?>) values)
        .forEach(
            (key, value) -> {
              if (value instanceof Map<?, ?>) {
                flat.putAll(flat(prefix + key + ".", value));
              } else {
                flat.put(prefix + key, value);
              }
            });
    return flat;
  }

  @Test
  void tableIsSortedWithoutDuplicates() throws IOException {
    List<String> lines =
        Files.readAllLines(Path.of("src/main/resources/ecoflow/payload/prefixes.csv"));
    assertEquals("by,code,serial,prefix", lines.get(0));
    List<String> keys = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      assertEquals(4, cells.length, line);
      keys.add(cells[0] + "," + cells[1] + "," + cells[2]);
    }
    assertEquals(keys.size(), new HashSet<>(keys).size());
    assertEquals(
        List.of("typeCode", "addr", "command", "moduleType"),
        keys.stream().map(key -> key.split(",")[0]).distinct().toList());
  }
}
