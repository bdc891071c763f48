package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Verifies that both algorithms return the decimal that Java prints for a float. */
class PlainFloatTest {

  private static final int MANY = 300_000;

  @Test
  void floatsOfEverySize() {
    // The step is a prime, so that all bits vary.
    for (long bits = 0; bits < 1L << 32; bits += 9973) {
      check(Float.intBitsToFloat((int) bits));
    }
  }

  @Test
  void decimalsThatDevicesSend() {
    SplittableRandom random = new SplittableRandom(5);
    for (int scale = 1; scale <= 1_000_000; scale *= 10) {
      for (int number = 0; number < 20_000; number++) {
        check(number / (float) scale);
        check(-number / (float) scale);
        check((float) (number / (double) scale));
      }
      for (int i = 0; i < MANY; i++) {
        check(random.nextInt(1 << random.nextInt(1, 31)) / (float) scale);
      }
    }
  }

  @Test
  void boundsOfEachAlgorithm() {
    for (float edge :
        new float[] {
          0,
          1e-4f,
          1 << 23,
          1 << 24,
          Float.MIN_VALUE,
          Float.MIN_NORMAL,
          Float.MAX_VALUE,
          Float.POSITIVE_INFINITY,
          Float.NaN
        }) {
      for (float near : new float[] {Math.nextDown(edge), edge, Math.nextUp(edge)}) {
        check(near);
        check(-near);
      }
    }
  }

  private static void check(float value) {
    double expected = Double.parseDouble(Float.toString(value));
    // Distinguishes -0.0 from 0.0.
    assertEquals(
        Double.doubleToLongBits(expected),
        Double.doubleToLongBits(FieldValues.plainFloat(value)),
        () -> Float.toString(value));
  }
}
