package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Label;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The user's messages, from a directory. */
class UserMessagesTest {

  private static final String SERIAL = "NEW1TEST00000001";

  @TempDir private Path directory;
  private final List<String> problems = new ArrayList<>();

  @Test
  void lineAddsUnknownCommand() throws IOException {
    writeSet("new.desc", file("newcomer", "ecoflow.newcomer"));
    write("newcomer.proto", "message Pack {}");
    write("messages.csv", "cmd_func,cmd_id,route,message,prefix", "254,40,sn:NEW1,newcomer.Pack,");
    byte[] pack = {0x08, 0x02, 0x10, 0x51};

    Map<String, Object> values = frames().read(header(254, 40, pack), SERIAL).values();

    assertEquals(Map.of("slot", 2L, "soc", 81L), values);
    assertEquals(
        Decoded.Outcome.UNKNOWN,
        frames().read(header(254, 40, pack), "OTHER00000000001").outcome());
    assertEquals(List.of(), problems);
  }

  @Test
  void lineOverridesPackagedLinesAndRulesDefinePlaces() throws IOException {
    writeSet("new.desc", file("newcomer", "ecoflow.newcomer"));
    write("messages.csv", "# mine", "", "32,177,,newcomer.Pack,mine[]");
    write("rules.csv", "newcomer.Pack,index,slot", "newcomer.Pack,zero,soc");

    Decoded decoded = frames().read(header(32, 177, new byte[] {0x08, 0x02}), SERIAL);

    assertTrue(decoded.values().toString().contains("soc=0"), decoded.values().toString());
    assertTrue(decoded.values().keySet().stream().allMatch(key -> key.startsWith("mine")));
    assertEquals(List.of(), problems);
  }

  @Test
  void errorsAreReportedWithFileAndLineAndOtherLinesApply() throws IOException {
    writeSet("a.desc", file("newcomer", "ecoflow.newcomer"), file("general", "ecoflow.general"));
    writeSet("b.desc", file("stranger", "somebody.stranger"), recursive(), typed(Type.TYPE_ENUM));
    write("forgotten.proto", "message Pack {}");
    Files.write(directory.resolve("c.desc"), new byte[] {0x0a, 0x7f, 0x01});
    write(
        "messages.csv",
        "x,1,,newcomer.Pack,",
        "254,40,,newcomer.Pack",
        "254,40,nr:5,newcomer.Pack,",
        "254,40,,newcomer.Nothing,",
        "254,40,,nofamily.Pack,",
        "254,40,,Pack,",
        "254,40,,newcomer.Pack,a b",
        "254,40,,newcomer.Pack,");
    write(
        "rules.csv",
        "newcomer.Nothing,zero,soc",
        "newcomer.Pack,zero,nothing",
        "newcomer.Pack,mask,soc",
        "newcomer.Pack,guess,soc",
        "newcomer.Pack,zero,soc");

    Decoded decoded = frames().read(header(254, 40, new byte[] {0x08, 0x02}), SERIAL);

    assertEquals(Map.of("slot", 2L, "soc", 0L), decoded.values());
    assertEquals(
        List.of(
            "a.desc: general.proto is skipped: a file with this name already exists;"
                + " rename it",
            "b.desc: stranger.proto is skipped: it requires the line 'package ecoflow.stranger;'",
            "b.desc: recursive.proto is skipped: message Pack contains itself",
            "b.desc: typed.proto is skipped: ecoflow.typed.Pack.kind is an enum; use int32",
            "c.desc is skipped: it is not a readable descriptor set",
            "forgotten.proto has no effect, because no .desc file contains it; create one with protoc"
                + " --descriptor_set_out=forgotten.desc forgotten.proto",
            "messages.csv:1 is skipped: cmd_func and cmd_id must be numbers",
            "messages.csv:2 is skipped: 4 columns, expected 5",
            "messages.csv:3 is skipped: route nr:5: expected sn:, product: or src:, separated"
                + " by spaces",
            "messages.csv:4 is skipped: unknown message newcomer.Nothing",
            "messages.csv:5 is skipped: unknown message nofamily.Pack",
            "messages.csv:6 is skipped: unknown message Pack",
            "messages.csv:7 is skipped: prefix a b: expected a name, followed by [] for a list"
                + " item",
            "rules.csv:1 is skipped: unknown message newcomer.Nothing",
            "rules.csv:2 is skipped: unknown field nothing in newcomer.Pack",
            "rules.csv:3 is skipped: rule mask is not valid for the field soc",
            "rules.csv:4 is skipped: rule guess is not valid for the field soc"),
        problems.stream().map(problem -> problem.replace(directory + "/", "")).toList());
  }

  private Frames frames() {
    return Frames.load(Optional.of(directory), problems::add);
  }

  private static Header header(int cmdFunc, int cmdId, byte[] pdata) {
    return TestFrames.header(pdata).setCmdFunc(cmdFunc).setCmdId(cmdId).build();
  }

  private void write(String name, String... lines) throws IOException {
    Files.write(directory.resolve(name), List.of(lines));
  }

  private void writeSet(String name, FileDescriptorProto... files) throws IOException {
    FileDescriptorSet set = FileDescriptorSet.newBuilder().addAllFile(List.of(files)).build();
    Files.write(directory.resolve(name), set.toByteArray());
  }

  /** A descriptor as created by protoc, with one message with the fields slot and soc. */
  private static FileDescriptorProto file(String name, String protoPackage) {
    return file(name, protoPackage, field("slot", 1), field("soc", 2));
  }

  private static FileDescriptorProto recursive() {
    FieldDescriptorProto.Builder self =
        field("inner", 1).setType(Type.TYPE_MESSAGE).setTypeName(".ecoflow.recursive.Pack");
    return file("recursive", "ecoflow.recursive", self);
  }

  private static FileDescriptorProto typed(Type type) {
    FileDescriptorProto.Builder file =
        file("typed", "ecoflow.typed", field("kind", 1).setType(type).setTypeName("Kind"))
            .toBuilder();
    file.addEnumTypeBuilder().setName("Kind").addValueBuilder().setName("NONE").setNumber(0);
    return file.build();
  }

  private static FieldDescriptorProto.Builder field(String name, int number) {
    return FieldDescriptorProto.newBuilder()
        .setName(name)
        .setNumber(number)
        .setLabel(Label.LABEL_OPTIONAL)
        .setType(Type.TYPE_UINT32);
  }

  private static FileDescriptorProto file(
      String name, String protoPackage, FieldDescriptorProto.Builder... fields) {
    DescriptorProto.Builder message = DescriptorProto.newBuilder().setName("Pack");
    for (FieldDescriptorProto.Builder field : fields) {
      message.addField(field);
    }
    return FileDescriptorProto.newBuilder()
        .setName(name + ".proto")
        .setPackage(protoPackage)
        .setSyntax("proto3")
        .addMessageType(message)
        .build();
  }
}
