package ecoflow.page;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A growable byte buffer for texts and numbers of a page. Numbers have the format of {@link
 * Double#toString}, except {@code +Inf} and {@code -Inf}.
 *
 * <p>Fast path, read last: a StringBuilder would produce the same page. This class does not create
 * a string for each number.
 */
final class PageBytes extends OutputStream {

  private static final long[] POWERS_OF_TEN = {1, 10, 100, 1_000, 10_000, 100_000, 1_000_000};

  /** {@link Double#toString} writes an exponent for this value and larger values. */
  private static final double MIN_WITH_EXPONENT = 1e7;

  /** {@link Double#toString} writes an exponent for smaller values. */
  private static final double MIN_WITHOUT_EXPONENT = 1e-3;

  private static final int MAX_LONG_DIGITS = 19;

  private byte[] bytes;
  private int size;

  PageBytes(int capacity) {
    bytes = new byte[capacity];
  }

  int size() {
    return size;
  }

  void clear() {
    size = 0;
  }

  /** Copies {@code length} bytes from {@code start} to {@code target} at {@code offset}. */
  void copy(int start, byte[] target, int offset, int length) {
    System.arraycopy(bytes, start, target, offset, length);
  }

  /** Returns a view of the content, which is valid until the next change. */
  ByteBuffer view() {
    return ByteBuffer.wrap(bytes, 0, size);
  }

  void writeTo(OutputStream out) throws java.io.IOException {
    out.write(bytes, 0, size);
  }

  /** Removes the text if the content ends with it. */
  void removeSuffix(String ascii) {
    byte[] end = ascii.getBytes(StandardCharsets.US_ASCII);
    int start = size - end.length;
    if (start >= 0 && Arrays.equals(bytes, start, size, end, 0, end.length)) {
      size = start;
    }
  }

  @Override
  public void write(int b) {
    ensureCapacity(1);
    bytes[size++] = (byte) b;
  }

  @Override
  public void write(byte[] source, int offset, int length) {
    ensureCapacity(length);
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

  PageBytes add(double value) {
    if (Double.isInfinite(value)) {
      return add(value > 0 ? "+Inf" : "-Inf");
    }
    return addShort(value) ? this : add(Double.toString(value));
  }

  /**
   * Appends a number with at most six decimals, faster than {@link Double#toString}. Nearly all
   * values of devices have this format.
   *
   * @return false if the number has another format; then nothing is appended
   */
  private boolean addShort(double value) {
    double size = Math.abs(value);
    if (!(size < MIN_WITH_EXPONENT) || (value == 0 && 1 / value < 0)) {
      return false;
    }
    long whole = (long) size;
    if (Double.compare(whole, size) == 0) {
      addDecimal(value < 0, whole * 10, 1);
      return true;
    }
    if (size < MIN_WITHOUT_EXPONENT) {
      return false;
    }
    for (int decimals = 1; decimals < POWERS_OF_TEN.length; decimals++) {
      long digits = Math.round(size * POWERS_OF_TEN[decimals]);
      if (Double.compare((double) digits / POWERS_OF_TEN[decimals], size) == 0) {
        addDecimal(value < 0, digits, decimals);
        return true;
      }
    }
    return false;
  }

  private void addDecimal(boolean negative, long digits, int decimals) {
    ensureCapacity(MAX_LONG_DIGITS + 3);
    if (negative) {
      bytes[size++] = '-';
    }
    int length = decimals + 1;
    for (long rest = digits / POWERS_OF_TEN[decimals] / 10; rest > 0; rest /= 10) {
      length++;
    }
    // The index of the last digit; the decimal point takes one byte.
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

  private void ensureCapacity(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }
}
