package ecoflow.unknown;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.testkit.OneAccount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The limits of recordings: messages in a minute, sizes and numbers of files. */
class RecordingLimitsTest {

  private static final CamelContext CAMEL = new DefaultCamelContext();

  @TempDir private Path directory;

  private Instant now = Instant.parse("2026-11-30T12:00:00Z");

  private final Clock clock =
      new Clock() {
        @Override
        public ZoneOffset getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          return this;
        }

        @Override
        public Instant instant() {
          return now;
        }
      };

  private final List<String> results = new ArrayList<>();

  private MessageRecording recording() throws Exception {
    OneAccount one =
        OneAccount.of(
            Map.of(
                "ECOFLOW_ACCESS_KEY", "key",
                "ECOFLOW_SECRET_KEY", "secret",
                "ECOFLOW_DEVICE_SN", "all"));
    Devices devices = new Devices(one.settings(), one.accounts(), line -> {}, () -> 0);
    return new MessageRecording(Optional.of(directory), devices, clock, results::add);
  }

  private static Exchange exchange(String serial, Map<String, ?> body) {
    Exchange exchange = new DefaultExchange(CAMEL);
    exchange.getMessage().setHeader(Quotas.DEVICE, serial);
    exchange.getMessage().setHeader(Quotas.SOURCE, Quotas.PUSH);
    exchange.getMessage().setBody(body);
    return exchange;
  }

  private Map<String, Long> counts() {
    Map<String, Long> counts =
        results.stream().collect(Collectors.groupingBy(result -> result, Collectors.counting()));
    results.clear();
    return counts;
  }

  @Test
  void messagesOfEachKindAndOfAllDevicesAreLimited() throws Exception {
    MessageRecording recording = recording();
    for (int i = 0; i < MessageRecording.MAX_PER_KIND + 5; i++) {
      recording.recordJson(exchange("R331A", Map.of("typeCode", "pdStatus", "soc", i)));
    }
    assertEquals(Map.of("recorded", 30L, "limit", 5L), counts());
    recording.recordJson(exchange("R331A", Map.of("typeCode", "invStatus")));
    recording.recordJson(exchange("R331B", Map.of("typeCode", "pdStatus")));
    assertEquals(Map.of("recorded", 2L), counts());

    for (int i = 0; i < MessageRecording.MAX_PER_MINUTE; i++) {
      recording.recordJson(exchange("R331" + i, Map.of("soc", i)));
    }
    assertEquals(Map.of("recorded", 568L, "limit", 32L), counts());
    now = now.plusSeconds(60);
    recording.recordJson(exchange("R331A", Map.of("typeCode", "pdStatus")));
    assertEquals(Map.of("recorded", 1L), counts());
  }

  @Test
  void largeAndRepeatedMessagesAreNotRecorded() throws Exception {
    MessageRecording recording = recording();
    Map<String, Object> large = new HashMap<>();
    for (int i = 0; i < 40_000; i++) {
      large.put("key.number" + i, i);
    }
    recording.recordJson(exchange("R331A", large));
    assertEquals(Map.of("limit", 1L), counts());

    Exchange repeated = exchange("R331A", Map.of("soc", 1));
    repeated.getMessage().setHeader(Quotas.REPLAY, true);
    recording.recordJson(repeated);
    assertEquals(Map.of(), counts());
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void fileThatCannotBeWrittenIsCounted() throws Exception {
    Files.createDirectory(directory.resolve(MessageRecording.FILE));
    recording().recordJson(exchange("R331A", Map.of("soc", 1)));
    assertEquals(Map.of("failed", 1L), counts());
  }

  /** Each file has at most 4 MiB, and the files of the previous process are kept. */
  @Test
  void fullFilesAreRenamedAndTheOldestIsDeleted() throws Exception {
    String megabyte = "x".repeat((1 << 20) - 20);
    List<String> warnings = new ArrayList<>();
    for (int process = 0; process < 2; process++) {
      Recording recording =
          Recording.rotating(
              directory, MessageRecording.FILE, MessageRecording.FILES, warnings::add);
      for (int i = 0; i < 9; i++) {
        assertTrue(recording.append(process + " " + i + " " + megabyte));
      }
    }

    assertEquals(List.of(), warnings);
    assertEquals(
        List.of(
            "messages.1.jsonl: 1 4 to 1 7",
            "messages.2.jsonl: 1 0 to 1 3",
            "messages.3.jsonl: 0 8 to 0 8",
            "messages.jsonl: 1 8 to 1 8"),
        contents());
  }

  private List<String> contents() throws IOException {
    List<String> contents = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory).sorted()) {
      for (Path file : (Iterable<Path>) files::iterator) {
        assertTrue(Files.size(file) <= 4 << 20);
        assertEquals(
            "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        List<String> lines = Files.readAllLines(file);
        String last = lines.get(lines.size() - 1);
        contents.add(
            file.getFileName()
                + ": "
                + lines.get(0).substring(0, 3)
                + " to "
                + last.substring(0, 3));
      }
    }
    return contents;
  }

  /** Devices before and after a restart must not be mistaken for each other. */
  @Test
  void numbersOfSerialNumbersContinueInUnknownMessages() throws Exception {
    Recording before = Recording.ofUnknown(directory, line -> {});
    assertEquals(0, before.lastNumber());
    before.append("{\"device\":\"P231XXXXXXXX0003\",\"frame\":\"0a58585858585858583030313700\"}");

    Recording after = Recording.ofUnknown(directory, line -> {});
    assertEquals(17, after.lastNumber());
    assertEquals("P231XXXXXXXX0018", new Pseudonyms(17).of("P231ZEB4ZEAL0528"));
  }
}
