package ecoflow.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.config.ConfigException;
import ecoflow.testkit.OneAccount;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that are not EcoFlow devices. */
class AdoptedDevicesTest {

  private long now;
  private Account account;
  private Devices devices;

  @BeforeEach
  void serveAllDevicesOfAccount() throws ConfigException {
    OneAccount one =
        OneAccount.of(
            Map.of(
                "ECOFLOW_ACCESS_KEY", "key",
                "ECOFLOW_SECRET_KEY", "secret",
                "ECOFLOW_DEVICE_SN", "all"));
    account = one.account();
    devices = new Devices(one.settings(), one.accounts(), line -> {}, () -> now);
  }

  @Test
  void areServedButNotPolled() {
    devices.listed(account, Map.of("R331", new Listing(true, true, "Garage", "DELTA 2")));
    devices.adopt("PLUG1", "Lamp", null);

    assertEquals(List.of("PLUG1", "R331"), devices.serials());
    assertEquals(List.of("R331"), devices.serials(account));
    assertEquals(List.of("R331"), devices.ecoflowDevices().map(DeviceView::serial).toList());
    assertTrue(devices.isServed("PLUG1"));
    assertEquals(new Labels("PLUG1", "Lamp", "Unknown", "unknown"), devices.labels("PLUG1"));
  }

  @Test
  void areOnlineWhileValuesArriveRegardlessOfList() {
    devices.adopt("PLUG1", null, null);
    assertFalse(devices.isShown("PLUG1"));
    devices.dataArrived("PLUG1");
    assertTrue(devices.isShown("PLUG1"));

    devices.listed(account, Map.of());
    assertTrue(devices.isShown("PLUG1"));
    assertFalse(devices.find("PLUG1").orElseThrow().missing());

    now += Duration.ofMinutes(2).toNanos();
    assertFalse(devices.isOnline("PLUG1"));
  }

  @Test
  void takeNameOfTheirLastMessage() {
    devices.adopt("PLUG1", "Lamp", "Plug");
    devices.adopt("PLUG1", "Fan", "Plug");

    assertEquals(new Labels("PLUG1", "Fan", "Plug", "unknown"), devices.labels("PLUG1"));
  }

  @Test
  void areNotAdoptedIfTheyAreEcoFlowDevices() {
    devices.listed(account, Map.of("R331", new Listing(true, true, "Garage", "DELTA 2")));
    devices.adopt("R331", "Lamp", "Plug");

    assertEquals(List.of("R331"), devices.serials(account));
    assertEquals("Garage", devices.labels("R331").deviceName());
  }

  @Test
  void becomeEcoFlowDevicesOnceListed() {
    devices.adopt("R331", "Lamp", null);

    List<String> added =
        devices.listed(account, Map.of("R331", new Listing(true, true, "Garage", "DELTA 2")));

    assertEquals(List.of("R331"), added);
    assertEquals(List.of("R331"), devices.serials(account));
    assertTrue(devices.isOnline("R331"));
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(
      strings = {
        "",
        "a b",
        "a/b",
        "../a",
        "12345678901234567890123456789012345678901234567890123456789012345"
      })
  void needValidSerialNumber(String serial) {
    assertThrows(IllegalArgumentException.class, () -> devices.adopt(serial, null, null));
    assertEquals(List.of(), devices.serials());
  }

  /** In a server, when Kafka revokes their partition. */
  @Test
  void canBeRemoved() {
    List<String> removed = new ArrayList<>();
    devices.onRemoved(labels -> removed.add(labels.deviceName()));
    devices.adopt("PLUG1", "Lamp", null);
    devices.remove("PLUG1");

    assertEquals(List.of("Lamp"), removed);
    assertEquals(List.of(), devices.serials());
  }

  @Test
  void areLimitedInNumber() {
    for (int i = 0; i < 1000; i++) {
      devices.adopt("PLUG" + i, null, null);
    }

    assertThrows(IllegalArgumentException.class, () -> devices.adopt("ONE-MORE", null, null));
    devices.adopt("PLUG7", "Lamp", null);
    assertEquals(1000, devices.serials().size());
  }
}
