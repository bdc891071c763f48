package ecoflow.unknown;

import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
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
import com.google.protobuf.UnknownFieldSet;
import ecoflow.Beans;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import ecoflow.offline.Replay;
import ecoflow.testkit.ExporterExtension;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Messages without a decoder: their list, their recording and its replay. */
class UnknownMessagesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SimulatedDevice device =
      new SimulatedDevice("P231ZUNKNOWN0001", "Anna's van", "DELTA 3", WireFormat.PROTOBUF_XOR);

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt().with(device);

  @TempDir private Path directory;

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
    Path file = directory.resolve("unknown.jsonl");
    for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  @Test
  void unknownMessagesAreListed() {
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
  void eachUnknownMessageIsRecordedOnceAndMasked() throws Exception {
    exporter.start("ECOFLOW_RECORD_DIR=" + directory);
    exporter.page().eventuallyConnected(1);

    device.publish(frame(200, 7, "from P231ZUNKNOWN0001, Anna's van, 1792345678901234567"));
    device.publish(frame(200, 8, "from P231ZUNKNOWN0001, Anna's van, 1792345678901234567"));
    for (int i = 0; i < 40; i++) {
      device.publish(frame(201, i, "value " + (10 + i)));
    }
    device.push(Map.of("powInSumW", 3f));
    exporter.page().eventuallyShows(device, "pow_in_sum_w", 3);

    List<JsonNode> lines = recorded();
    assertEquals(21, lines.size(), "one, and twenty of many");
    JsonNode first = lines.get(0);
    assertEquals("254/200", first.path("command").asText());
    assertEquals("P231XXXXXXXX0001", first.path("device").asText());
    assertEquals("push", first.path("source").asText());
    Frame frame = Frame.parseFrom(HexFormat.of().parseHex(first.path("frame").asText()));
    Header header = Header.parseFrom(frame.getHeaders(0));
    assertEquals(
        "xxxx P231XXXXXXXX0001, xxxxxxxxxx, 0000000000000000000", header.getPdata().toStringUtf8());
    assertEquals("P231XXXXXXXX0001", header.getDeviceSn().toStringUtf8());
    String text = Files.readString(directory.resolve("unknown.jsonl"));
    assertFalse(text.contains("ZUNKNOWN") || text.contains("Anna"), text);
  }

  /** A message of a battery with serial numbers in several forms, a network and a location. */
  private static byte[] personal() {
    UnknownFieldSet inner =
        UnknownFieldSet.newBuilder()
            .addField(4, texts("HJ31ZDH5ZG5W0052", "FRITZ!Box 7590 AB"))
            .addField(6, UnknownFieldSet.Field.newBuilder().addVarint(81).build())
            .build();
    String json =
        "{\"ssid\":\"Home\",\"ip\":\"192.168.1.24\",\"mac\":\"A4:CF:12:0B:9C:DE\","
            + "\"lat\":48.137154,\"sn\":\"hj31zdh5zg5w0052\",\"soc\":81}";
    return UnknownFieldSet.newBuilder()
        .addField(1, UnknownFieldSet.Field.newBuilder().addVarint(81).build())
        .addField(2, texts("p231zunknown0001", "P231ZUNK"))
        .addField(6, texts("NOWN0001"))
        .addField(7, texts(Base64.getEncoder().encodeToString("P231ZUNKNOWN0001".getBytes(UTF_8))))
        .addField(
            8,
            UnknownFieldSet.Field.newBuilder()
                .addLengthDelimited(ByteString.copyFrom("HJ31ZDH5ZG5W0052", UTF_16LE))
                .addLengthDelimited(inner.toByteString())
                .build())
        .addField(9, texts(json))
        .build()
        .toByteArray();
  }

  private static UnknownFieldSet.Field texts(String... texts) {
    UnknownFieldSet.Field.Builder field = UnknownFieldSet.Field.newBuilder();
    for (String text : texts) {
      field.addLengthDelimited(ByteString.copyFromUtf8(text));
    }
    return field.build();
  }

  private static byte[] frame(int cmdId, byte[] message) {
    Header header =
        Header.newBuilder()
            .setPdata(ByteString.copyFrom(message))
            .setCmdFunc(254)
            .setCmdId(cmdId)
            .setFrom(ByteString.copyFromUtf8("Android"))
            .setModuleSn(ByteString.copyFromUtf8("HJ31ZDH5ZG5W0052"))
            .setDeviceSn(ByteString.copyFromUtf8("P231ZUNKNOWN0001"))
            .build();
    return Frame.newBuilder().addHeaders(header.toByteString()).build().toByteArray();
  }

  @Test
  void aMaskedRecordingIsPrivateAndCanBeReplayed() throws Exception {
    Path file = Files.createFile(directory.resolve("unknown.jsonl"));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    exporter.start("ECOFLOW_RECORD_DIR=" + directory);
    exporter.page().eventuallyConnected(1);
    byte[] message = personal();

    device.publish(frame(203, message));
    device.publish(
        frame(204, "{\"ssid\":\"Home\",\"sn\":\"p231zunknown0001\",\"soc\":81}".getBytes(UTF_8)));
    device.push(Map.of("powInSumW", 3f));
    exporter.page().eventuallyShows(device, "pow_in_sum_w", 3);
    exporter.stop();

    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    List<JsonNode> lines = recorded();
    assertEquals(2, lines.size());
    Header header = header(lines.get(0));
    assertEquals("Android", header.getFrom().toStringUtf8());
    assertEquals("HJ31XXXXXXXX0002", header.getModuleSn().toStringUtf8());
    assertEquals(message.length, header.getPdata().size());
    UnknownFieldSet masked = UnknownFieldSet.parseFrom(header.getPdata());
    assertEquals(List.of(81L), masked.getField(1).getVarintList());
    assertEquals(texts("p231XXXXXXXX0001", "x000xxxx"), masked.getField(2));
    assertEquals(texts("xxxx0000"), masked.getField(6));
    String base64 = masked.getField(7).getLengthDelimitedList().get(0).toStringUtf8();
    assertEquals("xxxxxxxx", base64.replaceAll("[^x]", "").substring(0, 8));
    assertFalse(new String(Base64.getDecoder().decode(base64), ISO_8859_1).contains("ZUNK"));
    List<ByteString> others = masked.getField(8).getLengthDelimitedList();
    assertEquals("HJ31XXXXXXXX0002", others.get(0).toString(UTF_16LE));
    UnknownFieldSet inner = UnknownFieldSet.parseFrom(others.get(1));
    assertEquals(texts("HJ31XXXXXXXX0002", "xxxxx!xxx 0000 xx"), inner.getField(4));
    assertEquals(List.of(81L), inner.getField(6).getVarintList());
    assertEquals(
        texts(
            "{\"ssid\":\"xxxx\",\"ip\":\"000.000.0.00\",\"mac\":\"00:00:00:00:00:00\","
                + "\"lat\":0,\"sn\":\"hj31XXXXXXXX0002\",\"soc\":81}        "),
        masked.getField(9));
    assertEquals(
        "{\"ssid\":\"xxxx\",\"sn\":\"p231XXXXXXXX0001\",\"soc\":81}",
        header(lines.get(1)).getPdata().toStringUtf8());

    List<String> problems = new ArrayList<>();
    List<String> series = Replay.series(Map.of(), Beans::new, file, problems::add);
    assertEquals(List.of(), problems);
    assertEquals(
        List.of(
            "# 254/203 of P231 (DELTA 3): 1 messages of " + message.length + " bytes",
            "# 254/204 of P231 (DELTA 3): 1 messages of 48 bytes"),
        series.stream().map(line -> line.replaceFirst(", first .*", "")).toList());
  }

  private static Header header(JsonNode line) throws Exception {
    Frame frame = Frame.parseFrom(HexFormat.of().parseHex(line.path("frame").asText()));
    return Header.parseFrom(frame.getHeaders(0));
  }

  /** From the first unknown message to a series, without a build. */
  @Test
  void aMessageWithADescriptionOfTheUserIsShown() throws Exception {
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
        directory.resolve("mine.desc"),
        FileDescriptorSet.newBuilder().addFile(file).build().toByteArray());
    Files.writeString(directory.resolve("messages.csv"), "254,200,sn:P231,mine.Pack,pack\n");
    Files.writeString(
        directory.resolve("metrics.csv"),
        "delta3,*,pack.charge,battery_charge_ratio,,,0.01,high,yes\n");
    exporter.start("ECOFLOW_MESSAGES_DIR=" + directory, "ECOFLOW_METRICS=both");
    exporter.page().eventuallyConnected(1);

    device.publish(frame(200, 7, new String(new byte[] {8, 81}, UTF_8)));

    exporter.page().eventuallyShows(device, "pack_charge", 81);
    assertEquals(0.81, exporter.page().of(device, "battery_charge_ratio"));
    assertEquals("no unknown messages\n", list());
  }

  @Test
  void aRecordingCanBeReplayedWithoutTheDevice() throws Exception {
    String known = HexFormat.of().formatHex(TestFrames.recorded("delta3-254-21.hex"));
    String unknown = HexFormat.of().formatHex(frame(200, 7, "abc"));
    Path file =
        Files.write(
            directory.resolve("record.jsonl"),
            List.of(
                "{\"device\":\"P231XXXXXXXX0001\",\"source\":\"push\",\"frame\":\"" + known + "\"}",
                "no record",
                "{\"device\":\"P231XXXXXXXXXXXX\",\"frame\":\"" + unknown + "\"}"));
    // A line that ends within a character.
    Files.write(file, "{\"product\":\"\u00c3".getBytes(ISO_8859_1), StandardOpenOption.APPEND);
    List<String> problems = new ArrayList<>();
    Map<String, String> variables = Map.of("ECOFLOW_DEVICE_NAME", "Van");

    List<String> series = Replay.series(variables, Beans::new, file, problems::add);

    String expected = ": not a record: expected JSON with \"device\", and \"frame\" or \"json\"";
    assertEquals(List.of(file + ":2" + expected, file + ":4" + expected), problems);
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
