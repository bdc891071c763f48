package ecoflow.page;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/** A page that is written while it is read, so that a large one is never in memory as a whole. */
final class PageStream extends InputStream {

  /** A page up to this size is its first piece. */
  static final int WHOLE = 1 << 18;

  /** What is written at a time after that, and compressed at a time. */
  static final int PIECE = 1 << 16;

  private final PageBytes plain;
  private final Iterator<PagePart<?>> rest;
  private final String end;

  /** What can be read: {@link #plain} itself, or what the compression made of it. */
  private final PageBytes ready;

  private final GZIPOutputStream gzip;

  /** What is being written, null before and after. */
  private PagePart<?> part;

  private int read;
  private boolean ended;

  /**
   * @param start of the page
   * @param end comes after the rest
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

  /** The whole page, if its first piece is all of it and nothing has been read. */
  Optional<ByteBuffer> whole() {
    return ended && read == 0 ? Optional.of(ready.view()) : Optional.empty();
  }

  /** Completes the piece that {@link #plain} has begun and makes it readable. */
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
