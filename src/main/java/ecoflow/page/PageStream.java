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
 * <p>Fast path, read last: the page could also be written at once. This class writes pieces, so
 * that a large page is never in memory as a whole.
 */
final class PageStream extends InputStream {

  /** Pages up to this size consist of one piece. */
  static final int WHOLE = 1 << 18;

  /** The size of further pieces, and of pieces to compress. */
  static final int PIECE = 1 << 16;

  private final PageBytes plain;
  private final Iterator<PagePart<?>> rest;
  private final String end;

  /** The readable bytes: {@link #plain} itself, or its compressed form. */
  private final PageBytes ready;

  private final GZIPOutputStream gzip;

  /** The part that is being written; null between parts. */
  private PagePart<?> part;

  private int read;
  private boolean ended;

  /**
   * @param start the start of the page
   * @param end the text after the last part
   */
  PageStream(PageBytes start, List<PagePart<?>> rest, String end, boolean compressed)
      throws IOException {
    this.plain = start;
    this.rest = rest.iterator();
    this.end = end;
    this.ready = compressed ? new PageBytes(PIECE / 4) : start;
    this.gzip = compressed ? new GZIPOutputStream(ready, PIECE / 8) : null;
    do {
      prepare(compressed ? PIECE : WHOLE);
    } while (ready.size() < WHOLE && !ended);
  }

  /** The whole page, if it consists of one piece and nothing has been read. */
  Optional<ByteBuffer> whole() {
    return ended && read == 0 ? Optional.of(ready.view()) : Optional.empty();
  }

  /** Completes the current piece in {@link #plain} and makes it readable. */
  private void prepare(int enough) throws IOException {
    while (plain.size() < enough && (part != null || rest.hasNext())) {
      part = part == null ? rest.next() : part;
      if (!part.append(plain, enough)) {
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
    while (read == ready.size() && !ended) {
      ready.clear();
      read = 0;
      prepare(PIECE);
    }
    if (read == ready.size()) {
      return -1;
    }
    int count = Math.min(length, ready.size() - read);
    ready.copy(read, target, offset, count);
    read += count;
    return count;
  }
}
