package ecoflow.quota;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MessageValueTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      nullValues = "nothing",
      value = {
        "pd.soc | {'pd.soc': 81} | 81",
        "pd.soc | {'pd': {'soc': 81}} | 81",
        "a.b.c | {'a.b': {'c': 1.5}} | 1.5",
        "a.b.c | {'a': {'b.c': 1.5}} | 1.5",
        "pd.soc | {'pd': {'watts': 5}} | nothing",
        "pd.soc | {'pd': 5} | nothing",
        "pd.soc | {} | nothing",
        "pd.soc | {'pd.soc': true} | 1",
        "pd.soc | {'pd.soc': false} | 0",
        "pd.soc | {'pd.soc': -0.0} | 0",
        "pd.soc | {'pd.soc': null} | NaN",
        "pd.soc | {'pd.soc': 'none'} | NaN",
        "pd.soc | {'pd.soc': {'x': 1}} | NaN",
        "cells[1] | {'cells': [3, 4]} | 4",
        "cells[1] | {'cells[1]': 5} | 5",
        "cells[2] | {'cells': [3, 4]} | NaN",
        "cells[x] | {'cells': [3, 4]} | NaN",
        "cells[1 | {'cells': [3, 4]} | NaN",
        "bms.cells[0].vol | {'bms': {'cells': [{'vol': 7}]}} | 7",
        "bms.cells[0].vol | {'bms': {'cells': [{'temp': 7}]}} | NaN",
        "bms.cells[0].vol | {'bms': {'cells': {'vol': 7}}} | nothing",
        "bms[0][1] | {'bms': [[3, 4]]} | 4",
      })
  void finds(String key, String message, Double value) throws JsonProcessingException {
    Map<?, ?> map = new ObjectMapper().readValue(message.replace('\'', '"'), Map.class);

    assertEquals(value, MessageValue.find(map, key));
  }
}
