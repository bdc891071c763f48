package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.decode.proto.Header;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Whatever comes, nothing is thrown. */
class FrameFuzzTest {

  private static final int ROUNDS = 20_000;
  private static final List<byte[]> SEEDS =
      TestFrames.RECORDED.stream().map(TestFrames::recorded).toList();

  private final MessageDecoder decoder = MessageDecoder.load();
  private final SplittableRandom random = new SplittableRandom(20240611);
  private final Map<Decoded.Outcome, Integer> outcomes = new EnumMap<>(Decoded.Outcome.class);

  @Test
  void survivesDamagedFrames() {
    for (int round = 0; round < ROUNDS; round++) {
      byte[] payload = damaged(SEEDS.get(random.nextInt(SEEDS.size())));
      read(payload);
    }

    // The damage left enough whole that each way to read was taken.
    assertEquals(Decoded.Outcome.values().length, outcomes.size(), outcomes.toString());
  }

  @Test
  void survivesNoise() {
    int frames = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] payload = new byte[random.nextInt(64)];
      random.nextBytes(payload);
      frames += PayloadKind.of(payload) == PayloadKind.FRAME ? 1 : 0;
      decode(TestFrames.header(payload).build());
    }

    assertTrue(frames < ROUNDS / 100, "noise taken for frames: " + frames);
  }

  private void read(byte[] payload) {
    if (PayloadKind.of(payload) == PayloadKind.FRAME) {
      Frames.parse(payload).getHeadersList().forEach(this::decode);
    }
  }

  private void decode(Header header) {
    outcomes.merge(decoder.decode(header, "").outcome(), 1, Integer::sum);
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
