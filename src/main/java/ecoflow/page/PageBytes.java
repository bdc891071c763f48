package ecoflow.page;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing row of bytes, with what a page is made of. */
final class PageBytes extends OutputStream {

  /** Powers of ten by their exponent. */
  private static final long[] TEN_TO = {1, 10, 100, 1_000, 10_000, 100_000, 1_000_000};

  /** From here on, and below a thousandth, {@link Double#toString} writes an exponent. */
  private static final double FIRST_WITH_EXPONENT = 1e7;

  private static final double LEAST_WITHOUT_EXPONENT = 1e-3;
  private static final int MAX_LONG_DIGITS = 19;

  private byte[] bytes;
  private int size;

  PageBytes(int capacity) {
    bytes = new byte[capacity];
  }

  int size() {
    return size;
  }

  /** Forgets what it holds, and keeps the memory. */
  void clear() {
    size = 0;
  }

  /** Copies to {@code target} from {@code offset} on what stands at {@code start}. */
  void copy(int start, byte[] target, int offset, int length) {
    System.arraycopy(bytes, start, target, offset, length);
  }

  /** What it holds, for as long as nothing is changed in it. */
  ByteBuffer view() {
    return ByteBuffer.wrap(bytes, 0, size);
  }

  void writeTo(OutputStream out) throws java.io.IOException {
    out.write(bytes, 0, size);
  }

  /** Takes the text off the end, if it stands there. */
  void dropEnd(String ascii) {
    byte[] end = ascii.getBytes(StandardCharsets.US_ASCII);
    int start = size - end.length;
    if (start >= 0 && Arrays.equals(bytes, start, size, end, 0, end.length)) {
      size = start;
    }
  }

  @Override
  public void write(int b) {
    room(1);
    bytes[size++] = (byte) b;
  }

  @Override
  public void write(byte[] source, int offset, int length) {
    room(length);
    System.arraycopy(source, offset, bytes, size, length);
    size += length;
  }

  PageBytes add(byte[] source) {
    write(source, 0, source.length);
    return this;
  }

  PageBytes add(String text) {
    return add(text.getBytes(StandardCharsets.UTF_8));
  }

  PageBytes add(char ascii) {
    write(ascii);
    return this;
  }

  /** Adds a number as {@link Double#toString} writes it, but for the words that the format has. */
  PageBytes add(double value) {
    if (Double.isInfinite(value)) {
      return add(value > 0 ? "+Inf" : "-Inf");
    }
    return addShort(value) ? this : add(Double.toString(value));
  }

  /**
   * Adds a number of up to six decimals without the search that {@link Double#toString} makes:
   * nearly all values of devices are such.
   *
   * @return false if it is another number
   */
  private boolean addShort(double value) {
    double size = Math.abs(value);
    if (!(size < FIRST_WITH_EXPONENT) || (value == 0 && 1 / value < 0)) {
      return false;
    }
    long whole = (long) size;
    if (Double.compare(whole, size) == 0) {
      addDecimal(value < 0, whole * 10, 1);
      return true;
    }
    if (size < LEAST_WITHOUT_EXPONENT) {
      return false;
    }
    for (int decimals = 1; decimals < TEN_TO.length; decimals++) {
      long digits = Math.round(size * TEN_TO[decimals]);
      if (Double.compare((double) digits / TEN_TO[decimals], size) == 0) {
        addDecimal(value < 0, digits, decimals);
        return true;
      }
    }
    return false;
  }

  private void addDecimal(boolean negative, long digits, int decimals) {
    room(MAX_LONG_DIGITS + 3);
    if (negative) {
      bytes[size++] = '-';
    }
    int length = decimals + 1;
    for (long rest = digits / TEN_TO[decimals] / 10; rest > 0; rest /= 10) {
      length++;
    }
    // One place more for the point.
    int at = size + length;
    long rest = digits;
    for (int i = 0; i < length; i++) {
      if (i == decimals) {
        bytes[at--] = '.';
      }
      bytes[at--] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    size += length + 1;
  }

  private void room(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }
}
