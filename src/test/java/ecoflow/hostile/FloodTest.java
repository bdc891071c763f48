package ecoflow.hostile;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A device that exceeds the processing capacity loses only its own messages. */
class FloodTest {

  private static final int MESSAGES = 1_000;

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt("LOG_LEVEL=ERROR");

  private final Page page = exporter.page();

  /** 16 kB with new keys, so that processing each message takes time. */
  private static String message(int number) {
    StringBuilder keys = new StringBuilder("{\"typeCode\":\"flood\",\"params\":{\"flood.last\":");
    keys.append(number);
    for (int i = 0; keys.length() < 16_000; i++) {
      keys.append(",\"k").append(number).append('.').append(i).append("\":1");
    }
    return keys.append("}}").toString();
  }

  @Test
  void aFloodDropsTheOldestMessagesOfItsDevice() {
    SimulatedDevice fast = exporter.addDevice(Map.of());
    SimulatedDevice calm = exporter.addDevice(Map.of());
    exporter.start();
    page.eventuallyConnected(1);
    fast.publish("{\"typeCode\":\"rare\",\"params\":{\"flood.rare\":0,\"flood.last\":0}}");
    page.eventuallyShows(fast, "flood_rare", 0);

    for (int i = 1; i <= MESSAGES; i++) {
      fast.publish(message(i));
      if (i == MESSAGES / 2) {
        fast.publish("{\"typeCode\":\"rare\",\"params\":{\"flood.rare\":1}}");
        calm.push(Map.of("pd.soc", 40));
      }
    }

    page.eventuallyShows(calm, "pd_soc", 40);
    page.eventuallyShows(fast, "flood_last", MESSAGES);
    page.eventuallyShows(fast, "flood_rare", 1);
    assertTrue(dropped() > 0, page::text);
    // All others were processed.
    eventually(
        () ->
            assertEquals(
                MESSAGES + 3 - dropped(),
                page.own("mqtt_messages_total", "client_type=mqtt", "type=text")));
    assertEquals(0, page.mqttErrors());
    assertEquals(1, exporter.cloud().connects().size(), "the connection stays");
  }

  private double dropped() {
    return page.own("mqtt_messages_dropped_total", "client_type=mqtt");
  }
}
