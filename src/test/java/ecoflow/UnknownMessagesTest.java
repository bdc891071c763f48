package ecoflow;

import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import ecoflow.offline.Replay;
import ecoflow.testkit.ExporterExtension;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Messages that nobody can read: they are listed, recorded, and can be played again. */
class UnknownMessagesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SimulatedDevice device =
      new SimulatedDevice("P231ZUNKNOWN0001", "Anna's van", "DELTA 3", WireFormat.PROTOBUF_XOR);

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt().with(device);

  @TempDir private Path folder;

  private static byte[] frame(int cmdId, int seq, String text) {
    byte[] message = text.getBytes(UTF_8);
    for (int i = 0; i < message.length; i++) {
      message[i] ^= (byte) seq;
    }
    Header header =
        Header.newBuilder()
            .setPdata(ByteString.copyFrom(message))
            .setSrc(2)
            .setEncType(1)
            .setCmdFunc(254)
            .setCmdId(cmdId)
            .setSeq(seq)
            .setDeviceSn(ByteString.copyFromUtf8("P231ZUNKNOWN0001"))
            .build();
    return Frame.newBuilder().addHeaders(header.toByteString()).build().toByteArray();
  }

  private String list() {
    return exporter.http().get("/-/unknown").body();
  }

  private List<JsonNode> recorded() throws Exception {
    List<JsonNode> lines = new ArrayList<>();
    Path file = folder.resolve("unknown.jsonl");
    for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  @Test
  void whatIsNotUnderstoodIsListed() {
    exporter.start();
    exporter.page().eventuallyConnected(1);
    assertEquals("no unknown messages\n", list());

    device.publish(frame(200, 7, "abc"));
    device.publish(frame(200, 8, "abcdef"));
    device.publish(frame(201, 9, "abc"));

    eventually(() -> assertEquals(2, list().lines().count()));
    List<String> lines = list().lines().toList();
    assertTrue(
        lines.get(0).startsWith("254/200 of P231 (DELTA 3): 2 messages of 3 to 6 bytes, first 20"),
        lines::toString);
    assertTrue(
        lines.get(1).startsWith("254/201 of P231 (DELTA 3): 1 messages of 3 bytes, first 20"),
        lines::toString);
    assertFalse(list().contains("ZUNKNOWN"));
  }

  @Test
  void eachNewMessageIsRecordedOnceWithoutWhoseItIs() throws Exception {
    exporter.start("ECOFLOW_RECORD_DIR=" + folder);
    exporter.page().eventuallyConnected(1);

    device.publish(frame(200, 7, "from P231ZUNKNOWN0001, Anna's van, 1792345678901234567"));
    device.publish(frame(200, 8, "from P231ZUNKNOWN0001, Anna's van, 1792345678901234567"));
    for (int i = 0; i < 40; i++) {
      device.publish(frame(201, i, "value " + (10 + i)));
    }
    device.push(Map.of("powInSumW", 3f));
    exporter.page().eventuallyShows(device, "pow_in_sum_w", 3);

    List<JsonNode> lines = recorded();
    assertEquals(21, lines.size(), "one, and twenty of the many");
    JsonNode first = lines.get(0);
    assertEquals("254/200", first.path("command").asText());
    assertEquals("P231XXXXXXXXXXXX", first.path("device").asText());
    assertEquals("push", first.path("source").asText());
    Frame frame = Frame.parseFrom(HexFormat.of().parseHex(first.path("frame").asText()));
    Header header = Header.parseFrom(frame.getHeaders(0));
    assertEquals(
        "from P231XXXXXXXXXXXX, xxxxxxxxxx, 0000000000000000000", header.getPdata().toStringUtf8());
    assertEquals("P231XXXXXXXXXXXX", header.getDeviceSn().toStringUtf8());
    String text = Files.readString(folder.resolve("unknown.jsonl"));
    assertFalse(text.contains("ZUNKNOWN") || text.contains("Anna"), text);
  }

  /** From the first message that nobody knows to a series, without a build. */
  @Test
  void aMessageThatTheUserDescribesIsShown() throws Exception {
    FileDescriptorProto file =
        FileDescriptorProto.newBuilder()
            .setName("mine.proto")
            .setPackage("ecoflow.mine")
            .setSyntax("proto3")
            .addMessageType(
                DescriptorProto.newBuilder()
                    .setName("Pack")
                    .addField(
                        FieldDescriptorProto.newBuilder()
                            .setName("charge")
                            .setNumber(1)
                            .setType(FieldDescriptorProto.Type.TYPE_INT32)
                            .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL)))
            .build();
    Files.write(
        folder.resolve("mine.desc"),
        FileDescriptorSet.newBuilder().addFile(file).build().toByteArray());
    Files.writeString(folder.resolve("messages.csv"), "254,200,sn:P231,mine.Pack,pack\n");
    Files.writeString(
        folder.resolve("metrics.csv"),
        "delta3,*,pack.charge,battery_charge_ratio,,,0.01,high,yes\n");
    exporter.start("ECOFLOW_MESSAGES_DIR=" + folder, "ECOFLOW_METRICS=both");
    exporter.page().eventuallyConnected(1);

    device.publish(frame(200, 7, new String(new byte[] {8, 81}, UTF_8)));

    exporter.page().eventuallyShows(device, "pack_charge", 81);
    assertEquals(0.81, exporter.page().of(device, "battery_charge_ratio"));
    assertEquals("no unknown messages\n", list());
  }

  @Test
  void aRecordCanBePlayedWithoutTheDevice() throws Exception {
    String known = HexFormat.of().formatHex(TestFrames.recorded("delta3-254-21.hex"));
    String unknown = HexFormat.of().formatHex(frame(200, 7, "abc"));
    Path file =
        Files.write(
            folder.resolve("record.jsonl"),
            List.of(
                "{\"device\":\"P231XXXXXXXXXXXX\",\"source\":\"push\",\"frame\":\"" + known + "\"}",
                "no record",
                "{\"device\":\"P231XXXXXXXXXXXX\",\"frame\":\"" + unknown + "\"}"));
    List<String> problems = new ArrayList<>();

    List<String> series = Replay.series(Map.of(), Beans::new, file, problems::add);

    assertEquals(
        List.of(file + ":2: not a record, which is JSON with \"device\" and \"frame\""), problems);
    assertTrue(
        series.stream().anyMatch(line -> line.startsWith("ecoflow_cms_batt_soc{device=\"P231X")),
        series::toString);
    assertTrue(
        series.stream().anyMatch(line -> line.startsWith("ecoflow_battery_charge_ratio{")),
        series::toString);
    String last = series.get(series.size() - 1);
    assertTrue(last.startsWith("# 254/200 of P231 (DELTA 3): 1 messages of 3 bytes"), last);
  }
}
