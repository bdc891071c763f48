package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A million payloads that no device should send; none may be the end of anything. */
class FrameFuzzTest {

  private static final int DAMAGED = 400_000;
  private static final int NOISE = 300_000;
  private static final int NONSENSE = 300_000;

  private static final List<byte[]> SEEDS =
      TestFrames.RECORDED.stream().map(TestFrames::recorded).toList();
  private static final List<String> SERIALS =
      List.of("", "HW52A", "Y711A", "HD31A", "C101A", "HC31A", "ES21A", "RE11A", "AC71A");

  private final MessageDecoder decoder = MessageDecoder.load();
  private final SplittableRandom random = new SplittableRandom(20240611);
  private final Map<Outcome, Integer> outcomes = new EnumMap<>(Outcome.class);

  @Test
  void survivesDamagedFrames() {
    for (int round = 0; round < DAMAGED; round++) {
      byte[] payload = damaged(SEEDS.get(random.nextInt(SEEDS.size())));
      if (PayloadKind.of(payload) == PayloadKind.FRAME) {
        TestFrames.headers(payload).forEach(this::decode);
      }
    }

    // The damage left enough whole that each way to read was taken.
    assertEquals(Outcome.values().length, outcomes.size(), outcomes.toString());
  }

  @Test
  void survivesNoise() {
    int frames = 0;
    for (int round = 0; round < NOISE; round++) {
      byte[] payload = noise(64);
      frames += PayloadKind.of(payload) == PayloadKind.FRAME ? 1 : 0;
    }

    assertTrue(frames < NOISE / 1000, "noise taken for frames: " + frames);
  }

  @Test
  void survivesNonsenseForEveryMessage() {
    List<MessageTable.Entry> entries = MessageTable.load().entries();
    for (int round = 0; round < NONSENSE; round++) {
      MessageTable.Entry entry = entries.get(round % entries.size());
      decode(
          Header.newBuilder()
              .setCmdFunc(entry.cmdFunc())
              .setCmdId(entry.cmdId())
              .setPdata(ByteString.copyFrom(random.nextBoolean() ? noise(32) : fields()))
              .build());
    }

    assertTrue(outcomes.get(Outcome.DECODED) > NONSENSE / 10, outcomes.toString());
    assertTrue(outcomes.get(Outcome.BROKEN) > NONSENSE / 10, outcomes.toString());
  }

  private void decode(Header header) {
    String serial = SERIALS.get(random.nextInt(SERIALS.size()));
    outcomes.merge(decoder.decode(header, serial).outcome(), 1, Integer::sum);
  }

  private byte[] noise(int size) {
    byte[] bytes = new byte[random.nextInt(size)];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Well-formed fields with numbers below 16, of types that mostly do not fit. */
  private byte[] fields() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int count = random.nextInt(6); count > 0; count--) {
      int number = random.nextInt(1, 16) << 3;
      byte[] content = noise(9);
      switch (random.nextInt(3)) {
        case 0 -> {
          bytes.write(number);
          bytes.write(random.nextInt(128));
        }
        case 1 -> {
          bytes.write(number | 5);
          bytes.writeBytes(Arrays.copyOf(content, 4));
        }
        default -> {
          bytes.write(number | 2);
          bytes.write(content.length);
          bytes.writeBytes(content);
        }
      }
    }
    return bytes.toByteArray();
  }

  private byte[] damaged(byte[] seed) {
    byte[] payload = seed.clone();
    for (int hits = random.nextInt(1, 6); hits > 0; hits--) {
      payload[random.nextInt(payload.length)] = (byte) random.nextInt();
    }
    return random.nextInt(4) == 0
        ? Arrays.copyOf(payload, random.nextInt(payload.length))
        : payload;
  }
}
