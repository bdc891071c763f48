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
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterContainer;

/** Decodes a million invalid payloads and verifies that none causes an exception. */
class FrameFuzzTest {

  private static final int DAMAGED = 400_000;
  private static final int NOISE = 300_000;
  private static final int NONSENSE = 300_000;
  private static final String SEED = "20240611";

  private static final List<byte[]> RECORDED =
      TestFrames.RECORDED.stream().map(TestFrames::recorded).toList();
  private static final List<String> SERIALS =
      List.of(
          "", "HW52A", "Y711A", "HD31A", "C101A", "HC31A", "ES21A", "RE11A", "AC71A", "R374A",
          "HZ31A", "HR61A", "RF43A");
  private static final MessageDecoder DECODER = MessageDecoder.load();
  private static final List<MessageTable.Entry> ENTRIES = MessageTable.load().entries();

  // Static, because jqwik creates a new instance for every payload.
  private static final Map<Outcome, Integer> OUTCOMES = new EnumMap<>(Outcome.class);
  private static int noiseFrames;

  private SplittableRandom random;

  @Property(tries = DAMAGED, seed = SEED, edgeCases = EdgeCasesMode.NONE)
  void survivesDamagedFrames(@ForAll long seed) {
    random = new SplittableRandom(seed);
    byte[] payload = damaged(RECORDED.get(random.nextInt(RECORDED.size())));
    if (Frames.isFrame(payload)) {
      TestFrames.headers(payload).forEach(this::decode);
    }
  }

  @Property(tries = NOISE, seed = SEED, edgeCases = EdgeCasesMode.NONE)
  void survivesNoise(@ForAll long seed) {
    random = new SplittableRandom(seed);
    noiseFrames += Frames.isFrame(noise(64)) ? 1 : 0;
  }

  @Property(tries = NONSENSE, seed = SEED, edgeCases = EdgeCasesMode.NONE)
  void survivesNonsenseForEveryMessage(@ForAll long seed) {
    random = new SplittableRandom(seed);
    MessageTable.Entry entry = ENTRIES.get(random.nextInt(ENTRIES.size()));
    decode(
        Header.newBuilder()
            .setCmdFunc(entry.cmdFunc())
            .setCmdId(entry.cmdId())
            .setPdata(ByteString.copyFrom(random.nextBoolean() ? noise(32) : fields()))
            .build());
  }

  /** Verifies that the payloads have covered all outcomes. */
  @AfterContainer
  static void everyOutcomeWasSeen() {
    assertEquals(Outcome.values().length, OUTCOMES.size(), OUTCOMES.toString());
    assertTrue(OUTCOMES.get(Outcome.DECODED) > NONSENSE / 10, OUTCOMES.toString());
    assertTrue(OUTCOMES.get(Outcome.BROKEN) > NONSENSE / 10, OUTCOMES.toString());
    assertTrue(noiseFrames < NOISE / 1000, "noise accepted as frames: " + noiseFrames);
  }

  private void decode(Header header) {
    String serial = SERIALS.get(random.nextInt(SERIALS.size()));
    OUTCOMES.merge(DECODER.decode(header, serial).outcome(), 1, Integer::sum);
  }

  private byte[] noise(int size) {
    byte[] bytes = new byte[random.nextInt(size)];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Well-formed fields with numbers below 16 and mostly wrong types. */
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
