package ecoflow.cloud;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.UnknownFieldSet;
import ecoflow.testkit.Frames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FleetTest {

  private final Fleet fleet = new Fleet();

  /** The pushes of each device, by serial number. */
  private final Map<String, List<byte[]>> pushes = new HashMap<>();

  @BeforeEach
  void listen() {
    for (SimulatedDevice device : fleet.devices()) {
      List<byte[]> own = pushes.computeIfAbsent(device.serial(), unused -> new ArrayList<>());
      device.connectTo((topic, payload) -> own.add(payload));
    }
  }

  @Test
  void sameStepsProduceSamePushes() {
    Fleet other = new Fleet();
    List<byte[]> second = new ArrayList<>();
    device(other, Fleet.DELTA_3).connectTo((topic, payload) -> second.add(payload));
    for (int step = 0; step <= Fleet.DAY; step++) {
      fleet.tick(step);
      other.tick(step);
    }
    List<byte[]> first = pushes.get(Fleet.DELTA_3);
    assertEquals(Fleet.DAY + 1, first.size());
    for (int i = 0; i < first.size(); i++) {
      assertArrayEquals(first.get(i), second.get(i));
    }
  }

  @Test
  void solarPowerIsZeroAtNightAndReturns() {
    fleet.tick(Fleet.DAY / 4);
    assertEquals(400, device(fleet, Fleet.DELTA_2).quota().get("pd.wattsInSum"));
    fleet.tick(Fleet.DAY * 3 / 4);
    assertEquals(0, device(fleet, Fleet.DELTA_2).quota().get("pd.wattsInSum"));
    assertEquals(0f, device(fleet, Fleet.DELTA_3).quota().get("powInSumW"));
    fleet.tick(Fleet.DAY + Fleet.DAY / 4);
    assertEquals(400, device(fleet, Fleet.DELTA_2).quota().get("pd.wattsInSum"));
  }

  @Test
  void devicesDiffer() {
    fleet.tick(15.5, 1);
    assertEquals(73.8f, device(fleet, Fleet.DELTA_2).quota().get("bms_emsStatus.f32LcdShowSoc"));
    assertEquals(93.4f, device(fleet, Fleet.RIVER_3).quota().get("cmsBattSoc"));
    assertEquals(63.4f, device(fleet, Fleet.DELTA_3).quota().get("cmsBattSoc"));
    assertEquals(85.5f, device(fleet, Fleet.STREAM_ULTRA).quota().get("cmsBattSoc"));
  }

  @Test
  void theHomeNeedsMostPowerInTheEvening() {
    fleet.tick(12.0, 1);
    float noon = (float) device(fleet, Fleet.STREAM_ULTRA).quota().get("powGetSysLoad");
    fleet.tick(19.5, 1);
    assertEquals(630f, device(fleet, Fleet.STREAM_ULTRA).quota().get("powGetSysLoad"));
    assertTrue(noon < 300, () -> "" + noon);
  }

  @Test
  void anOfflineDeviceDoesNotPush() {
    fleet.setRiver3Online(false);
    int before = pushes.get(Fleet.RIVER_3).size();
    assertArrayEquals(
        "{\"params\":{\"status\":0}}".getBytes(StandardCharsets.UTF_8), last(Fleet.RIVER_3));
    fleet.tick(0);
    fleet.tick(1);
    assertEquals(before, pushes.get(Fleet.RIVER_3).size());
    fleet.setRiver3Online(true);
    assertEquals(before + 2, pushes.get(Fleet.RIVER_3).size());
    fleet.setRiver3Online(true);
    fleet.tick(1);
    assertEquals(before + 3, pushes.get(Fleet.RIVER_3).size());
  }

  @Test
  void everyWireFormatContainsTheValues() throws IOException {
    fleet.tick(1);
    assertEquals(
        4,
        new ObjectMapper()
            .readTree(last(Fleet.DELTA_2))
            .path("params")
            .path("bms_bmsStatus.cellVol")
            .size());
    assertEquals(15f, real(Frames.headers(last(Fleet.RIVER_3)).get(0).message(), 4));
    assertEquals(75.5f, real(Frames.headers(last(Fleet.DELTA_3)).get(0).message(), 4));
    byte[] stream = Base64.getDecoder().decode(last(Fleet.STREAM_ULTRA));
    assertEquals(
        device(fleet, Fleet.STREAM_ULTRA).quota().get("powGetSysLoad"),
        real(Frames.headers(stream).get(0).message(), 516));
  }

  @Test
  void fullPushContainsEachFieldOnce() throws IOException {
    fleet.tick(Fleet.FULL_PUSH);
    List<Frames.Header> bundle = Frames.headers(last(Fleet.DELTA_3));
    assertEquals(4, bundle.size());
    Map<Integer, UnknownFieldSet.Field> fields = new HashMap<>();
    for (Frames.Header header : bundle) {
      if (header.cmdFunc() == 254) {
        fields.putAll(header.message().asMap());
      }
    }
    assertEquals(device(fleet, Fleet.DELTA_3).quota().size(), fields.size());
    // Explicit zeros: night, a dark display, a silent device.
    assertEquals(List.of(0), fields.get(3).getFixed32List());
    assertEquals(List.of(0L), fields.get(5).getVarintList());
    assertEquals(List.of(0L), fields.get(195).getVarintList());
    assertEquals(List.of(-4L), fields.get(258).getVarintList());
    UnknownFieldSet settings =
        UnknownFieldSet.parseFrom(fields.get(125).getLengthDelimitedList().get(0));
    assertEquals(2, settings.getField(1).getLengthDelimitedList().size());
    assertTrue(bundle.stream().anyMatch(header -> header.cmdFunc() == 32));
  }

  private byte[] last(String serial) {
    List<byte[]> own = pushes.get(serial);
    return own.get(own.size() - 1);
  }

  private static SimulatedDevice device(Fleet fleet, String serial) {
    return fleet.devices().stream()
        .filter(device -> device.serial().equals(serial))
        .findFirst()
        .orElseThrow();
  }

  private static float real(UnknownFieldSet message, int field) {
    return Float.intBitsToFloat(message.getField(field).getFixed32List().get(0));
  }
}
