package ecoflow.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import ecoflow.decode.Frames;
import ecoflow.decode.TestFrames;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Prints the headers of recorded frames and their decoded values as lines of JSON, for {@code
 * bench/decoders}.
 *
 * <p>The argument is a file with a line {@code FILE,SERIAL[,CMD_FUNC/CMD_ID]} for each recording:
 * hexadecimal, and with a command, only the message of a header. Without an argument, the recorded
 * frames of the tests are used.
 */
final class DecodedFrames {

  private static final ObjectMapper JSON = new ObjectMapper();

  private DecodedFrames() {}

  private record Recording(String name, String serial, Frame frame) {}

  public static void main(String[] args) throws IOException {
    Frames frames = Frames.load();
    for (Recording recording : args.length == 0 ? ofTests() : listed(Path.of(args[0]))) {
      for (ByteString bytes : recording.frame().getHeadersList()) {
        Header header = Header.parseFrom(bytes);
        System.out.println(
            JSON.writeValueAsString(
                Map.of(
                    "name",
                    recording.name() + " " + header.getCmdFunc() + "/" + header.getCmdId(),
                    "serial",
                    recording.serial(),
                    "frame",
                    Frame.newBuilder().addHeaders(bytes).build().toByteArray(),
                    "values",
                    frames.read(Frames.unmask(header), recording.serial()).values())));
      }
    }
  }

  private static List<Recording> ofTests() throws IOException {
    List<Recording> recordings = new ArrayList<>();
    for (String name : TestFrames.RECORDED) {
      recordings.add(
          new Recording(
              name, TestFrames.SERIALS.get(name), Frame.parseFrom(TestFrames.recorded(name))));
    }
    return recordings;
  }

  private static List<Recording> listed(Path list) throws IOException {
    List<Recording> recordings = new ArrayList<>();
    for (String line : Files.readAllLines(list)) {
      String[] cells = line.split(",");
      Path file = list.resolveSibling(cells[0]);
      byte[] bytes = TestFrames.hex(Files.readString(file));
      Frame frame = cells.length == 2 ? Frame.parseFrom(bytes) : frame(bytes, cells[2].split("/"));
      recordings.add(new Recording(file.getFileName().toString(), cells[1], frame));
    }
    return recordings;
  }

  private static Frame frame(byte[] message, String[] command) {
    return Frame.newBuilder()
        .addHeaders(
            Header.newBuilder()
                .setPdata(ByteString.copyFrom(message))
                .setCmdFunc(Integer.parseInt(command[0]))
                .setCmdId(Integer.parseInt(command[1]))
                .build()
                .toByteString())
        .build();
  }
}
