package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonMessageTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static JsonMessage of(String text) {
    try {
      return JsonMessage.of(JSON.readValue(text.replace('\'', '"'), Map.class));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'params':{'pd.soc':1}}",
        "{'param':{'pd.soc':1}}",
        "{'id':5,'version':'1.0','timestamp':6,'moduleType':1,'params':{'pd.soc':1}}",
        "{'addr':'a','cmdFunc':1,'cmdId':2,'param':{'pd.soc':1}}",
        "{'pd.soc':1}",
        "{'id':5,'version':'1.0','timestamp':6,'moduleType':1,'pd.soc':1}",
        "{'data':null,'params':{'pd.soc':1}}",
        "{'data':'text','params':{'pd.soc':1}}"
      })
  void takesPushes(String text) {
    assertEquals(new JsonMessage(Map.of("pd.soc", 1), false, null), of(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{'data':{'quotaMap':{'pd.soc':1}}};",
        "{'data':{'online':1,'quotaMap':{'pd.soc':1}}};true",
        "{'data':{'online':0,'quotaMap':{'pd.soc':1}}};false",
        "{'data':{'online':'1','quotaMap':{'pd.soc':1}}};true",
        "{'data':{'online':'0','quotaMap':{'pd.soc':1}}};false",
        "{'data':{'online':true,'quotaMap':{'pd.soc':1}}};true",
        "{'data':{'online':false,'quotaMap':{'pd.soc':1}}};false",
        "{'data':{'online':null,'quotaMap':{'pd.soc':1}}};",
        "{'id':'1','operateType':'latestQuotas','data':{'sn':'R331','online':1,'quotaMap':{'pd.soc':1}}};true"
      })
  void takesReplies(String text, Boolean online) {
    assertEquals(new JsonMessage(Map.of("pd.soc", 1), true, online), of(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{'data':{'online':0}};false",
        "{'data':{'online':1,'quotaMap':null}};true",
        "{'data':{}};"
      })
  void aReplyWithoutValuesIsNoFullPicture(String text, Boolean online) {
    assertEquals(new JsonMessage(Map.of(), false, online), of(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{}", "{'params':{}}", "{'params':{},'pd.soc':1}", "{'id':1,'timestamp':2}"})
  void theEnvelopeHoldsNoValues(String text) {
    assertEquals(new JsonMessage(Map.of(), false, null), of(text));
  }

  @Test
  void namesOfTheEnvelopeAreValuesInsideOfParams() {
    assertEquals(Map.of("id", 1, "time", 2), of("{'params':{'id':1,'time':2}}").quotas());
  }

  @Test
  void valuesKeepTheirShapes() {
    Map<String, Object> quotas = of("{'params':{'a':null,'b':[1,[2]],'c':{'d':'x'}}}").quotas();
    assertEquals("{a=null, b=[1, [2]], c={d=x}}", quotas.toString());
  }
}
