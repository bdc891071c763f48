package ecoflow.page;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/**
 * Writes the page while the client reads it.
 *
 * <p>Fast path, read last: the page could also be written as a whole. This class writes it in
 * pieces, so that a large page does not have to fit into memory.
 */
final class PageStream extends InputStream {

  /** Pages of up to this size consist of one piece. */
  static final int MAX_WHOLE = 1 << 18;

  /** The size of all other pieces, before compression. */
  static final int PIECE = 1 << 16;

  private final PageBytes plain;
  private final Iterator<PagePart<?>> rest;
  private final String end;

  /** The bytes to read: {@link #plain} itself, or its compressed form. */
  private final PageBytes output;

  private final GZIPOutputStream gzip;

  /** The current part; null between parts. */
  private PagePart<?> part;

  private int read;
  private boolean ended;

  /**
   * @param start the start of the page
   * @param end the end marker
   */
  PageStream(PageBytes start, List<PagePart<?>> rest, String end, boolean compressed)
      throws IOException {
    this.plain = start;
    this.rest = rest.iterator();
    this.end = end;
    this.output = compressed ? new PageBytes(PIECE / 4) : start;
    this.gzip = compressed ? new GZIPOutputStream(output, PIECE / 8) : null;
    do {
      writePiece(compressed ? PIECE : MAX_WHOLE);
    } while (output.size() < MAX_WHOLE && !ended);
  }

  /** Returns the whole page, if it consists of one piece that has not been read yet. */
  Optional<ByteBuffer> whole() {
    return ended && read == 0 ? Optional.of(output.view()) : Optional.empty();
  }

  /** Writes the next piece to {@link #output}. */
  private void writePiece(int minSize) throws IOException {
    while (plain.size() < minSize && (part != null || rest.hasNext())) {
      part = part == null ? rest.next() : part;
      if (!part.append(plain, minSize)) {
        part = null;
      }
    }
    if (part == null && !rest.hasNext()) {
      plain.add(end);
      ended = true;
    }
    if (gzip != null) {
      plain.writeTo(gzip);
      plain.clear();
      if (ended) {
        gzip.close();
      }
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    while (read == output.size() && !ended) {
      output.clear();
      read = 0;
      writePiece(PIECE);
    }
    if (read == output.size()) {
      return -1;
    }
    int count = Math.min(length, output.size() - read);
    output.copy(read, target, offset, count);
    read += count;
    return count;
  }
}
