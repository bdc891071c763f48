package ecoflow.payload;

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
    return JsonMessage.of(map(text));
  }

  private static Map<?, ?> map(String text) {
    try {
      return JSON.readValue(text.replace('\'', '"'), Map.class);
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
        "{'data':'text','params':{'pd.soc':1}}",
        "{'params':{},'param':{'pd.soc':1}}",
        "{'param':{},'params':{'pd.soc':1}}",
        "{'param':{'pd.soc':1},'params':{'pd.soc':2}}",
        "{'params':null,'param':{'pd.soc':1}}",
        "{'params':[5],'param':{'pd.soc':1}}",
        "{'data':{'param':{'pd.soc':1}}}",
        "{'data':{'params':{'pd.soc':1}},'timestamp':6}",
        "{'data':{'param':{},'params':{'pd.soc':1}},'params':{}}",
        "{'data':{'params':{'pd.soc':2}},'params':{'pd.soc':1}}",
        "{'data':{'quotaMap':null,'params':{'pd.soc':1}}}",
        "{'params':{},'pd.soc':1}",
        "{'data':{},'param':{},'params':{},'pd.soc':1}",
        "{'params':5,'param':null,'pd.soc':1}"
      })
  void readsPushes(String text) {
    assertEquals(new JsonMessage(Map.of("pd.soc", 1), false, null, null), of(text));
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
  void readsReplies(String text, Boolean online) {
    assertEquals(new JsonMessage(Map.of("pd.soc", 1), true, online, null), of(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{'data':{'online':0}};false",
        "{'data':{'online':1,'quotaMap':null}};true",
        "{'data':{}};",
        "{'data':{'online':0},'params':{}};false"
      })
  void replyWithoutValuesIsNotFull(String text, Boolean online) {
    assertEquals(new JsonMessage(Map.of(), false, online, null), of(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{'params':{}}",
        "{'params':{},'param':{}}",
        "{'id':1,'timestamp':2}",
        "{'id':1,'params':{},'timestamp':2}",
        "{'data':5}",
        "{'data':{'params':{}}}"
      })
  void envelopeDoesNotContainValues(String text) {
    assertEquals(new JsonMessage(Map.of(), false, null, null), of(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{'params':null};params is null",
        "{'params':'x'};params is a string",
        "{'params':''};params is a string",
        "{'params':5};params is a number",
        "{'params':false};params is a boolean",
        "{'params':[]};params is an array",
        "{'params':[{'pd.soc':1}]};params is an array",
        "{'param':5,'id':1,'timestamp':2};param is a number",
        "{'param':{},'params':5};params is a number",
        "{'params':{},'param':5};param is a number",
        "{'data':{'params':5}};params is a number",
        "{'data':{'param':[1]},'params':{}};param is an array",
        "{'data':{'quotaMap':[]}};quotaMap is an array"
      })
  void bodyMustBeAnObject(String text, String fault) {
    String error = fault + " instead of an object";
    assertEquals(new JsonMessage(Map.of(), false, null, error), of(text));
  }

  @Test
  void stringsDoNotReplaceInvalidBody() {
    assertEquals(
        "params is a number instead of an object", of("{'params':5,'sn':'R331','x':null}").error());
  }

  @Test
  void onlineStateIsReadDespiteInvalidBody() {
    JsonMessage message = of("{'data':{'online':0},'params':'x'}");
    assertEquals(false, message.online());
    assertEquals("params is a string instead of an object", message.error());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      nullValues = "-",
      value = {
        "{'params':{'status':0}};false;-",
        "{'params':{'status':1}};true;-",
        "{'params':{},'param':{'status':0}};false;-",
        "{'params':{'other':0}};-;-",
        "{'params':{}};-;-",
        "{'status':0};-;-",
        "{};-;-",
        "{'params':null};-;params is null instead of an object",
        "{'params':0};-;params is a number instead of an object",
        "{'params':'off'};-;params is a string instead of an object"
      })
  void onlyOnlineStateIsReadFromStatusMessages(String text, Boolean online, String fault) {
    assertEquals(new JsonMessage(Map.of(), false, online, fault), JsonMessage.ofStatus(map(text)));
  }

  @Test
  void namesOfEnvelopeAreValuesInParams() {
    assertEquals(Map.of("id", 1, "time", 2), of("{'params':{'id':1,'time':2}}").quotas());
  }

  @Test
  void valuesKeepTheirStructure() {
    Map<String, Object> quotas = of("{'params':{'a':null,'b':[1,[2]],'c':{'d':'x'}}}").quotas();
    assertEquals("{a=null, b=[1, [2]], c={d=x}}", quotas.toString());
  }
}
