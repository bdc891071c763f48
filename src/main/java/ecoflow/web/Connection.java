package ecoflow.web;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.Http1xServerConnection;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A client connection to the web server, with its time limits and memory use. The handler is
 * between Netty's HTTP codec and Vert.x. It runs on the channel's event loop, except where noted.
 */
final class Connection extends ChannelDuplexHandler {

  /**
   * The minimum number of bytes of a response that a client must read within the reader time limit.
   */
  static final long LEAST_PROGRESS = 1 << 14;

  /** The maximum number of requests in Vert.x without a complete response. */
  static final int MAX_PIPELINED = 16;

  /**
   * The maximum number of queued message parts of further requests; a single read can contain many.
   */
  static final int MAX_HELD = 512;

  /** Estimated memory in bytes of the objects of a request and of a header, without their text. */
  private static final int REQUEST_BYTES = 512;

  private static final int HEADER_BYTES = 64;

  /** The pause between two parts of a page after the client has disconnected. */
  private static final long FINISH_MILLIS = 5;

  /**
   * The maximum time to wait for a connection to close. Closing takes much less time, unless the
   * event loop is blocked.
   */
  private static final long CLOSE_MILLIS = 500;

  /** Estimated memory in bytes of a response of unknown length: see PageStream. */
  private static final long STREAM_BYTES = 1 << 19;

  private static final AttributeKey<Connection> KEY = AttributeKey.valueOf(Connection.class, "web");

  private final Channel channel;
  private final Connections all;
  private final Limits limits;
  private final LongSupplier nanoClock;

  private final Deque<Object> held = new ArrayDeque<>();

  /**
   * Bytes stored for each request without a response; 0 for a request that did not have to wait.
   */
  private final Deque<Long> kept = new ArrayDeque<>();

  private boolean wantsRead;
  private boolean hasRead;
  private boolean isEnding;
  private boolean isFlood;
  private int failures;

  /** The number of requests whose responses are not completely sent. */
  private volatile int open;

  /** When the connection started to wait for a request. */
  private volatile long since;

  /**
   * Whether the client must complete the headers of a request; otherwise the connection is idle.
   */
  private boolean isHeaderDue = true;

  private boolean isBodyDue;
  private long requestAt;

  /** The number of body bytes in all responses. */
  private long written;

  /** The part of {@link #written} that had been sent at the last progress. */
  private long taken;

  private long takenAt;

  /** Whether the memory of the current response is included in the total of all connections. */
  private boolean isCharged;

  private long body;
  private long charge;

  /** The admitted request whose response is not complete; its page would stay in memory. */
  private HttpServerRequest request;

  /** Called on the acceptor thread. */
  Connection(Channel channel, Connections all, LongSupplier nanoClock) {
    this.channel = channel;
    this.all = all;
    this.limits = all.limits();
    this.nanoClock = nanoClock;
    this.since = nanoClock.getAsLong();
    this.takenAt = since;
    channel.attr(KEY).set(this);
  }

  static Connection of(HttpConnection connection) {
    return ((ConnectionBase) connection).channelHandlerContext().channel().attr(KEY).get();
  }

  /** Adds this handler to the pipeline. The codec exists only after the TLS handshake. */
  void open(HttpServerOptions options) {
    channel.pipeline().replace("httpDecoder", "httpDecoder", new StrictDecoder(options));
    channel.pipeline().addBefore("handler", "ecoflow", this);
  }

  /** Thread-safe. */
  boolean isIdle() {
    return open == 0 && channel.isRegistered();
  }

  /** Thread-safe. */
  long idleSince() {
    return since;
  }

  /** Thread-safe. Vert.x would wait until the client has read the written bytes. */
  void close() {
    channel.eventLoop().execute(() -> channel.unsafe().close(channel.unsafe().voidPromise()));
  }

  /**
   * Closes the connection and waits for the end. Called on the acceptor thread. Without the wait, a
   * burst of connections would use up file descriptors faster than they are released, and Netty
   * would stop accepting for 1 s at the limit.
   */
  void closeBeforeNext() {
    close();
    channel.closeFuture().awaitUninterruptibly(CLOSE_MILLIS);
  }

  /** The number of wrong passwords in requests of this connection. */
  int failures() {
    return failures;
  }

  void failed() {
    failures++;
  }

  /** Whether further requests are ignored because the connection is about to be closed. */
  boolean isEnding() {
    return isEnding;
  }

  void end() {
    isEnding = true;
    isHeaderDue = true;
  }

  // Requests

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    hasRead = true;
    // A single read can contain further messages, which arrive before the connection is closed.
    if (isFlood || (isEnding && message instanceof HttpRequest)) {
      ReferenceCountUtil.release(message);
    } else if (!keep(message) || held.size() == MAX_HELD) {
      ReferenceCountUtil.release(message);
      isFlood = true;
      all.refused(
          "pipelined",
          "A client of the pages sends requests and reads no answers: its connection is closed");
      close();
    } else if (!held.isEmpty() || mustWait(message)) {
      held.add(message);
    } else {
      pass(ctx, message);
    }
  }

  private boolean mustWait(Object message) {
    return message instanceof HttpRequest && open >= MAX_PIPELINED;
  }

  /**
   * Reserves memory for the message until the response is sent. Returns false if the limit is
   * exceeded.
   */
  private boolean keep(Object message) {
    long bytes = 0;
    if (message instanceof HttpRequest request) {
      bytes = kept.isEmpty() ? 0 : bytes(request);
      kept.add(0L);
    } else if (message instanceof HttpContent content && kept.size() > 1) {
      bytes = content.content().readableBytes();
    }
    if (!all.keep(bytes)) {
      return false;
    }
    if (bytes > 0) {
      kept.add(kept.removeLast() + bytes);
    }
    return true;
  }

  private static long bytes(HttpRequest request) {
    long bytes = REQUEST_BYTES + request.uri().length();
    for (Map.Entry<String, String> header : request.headers()) {
      bytes += HEADER_BYTES + header.getKey().length() + header.getValue().length();
    }
    return bytes;
  }

  private void pass(ChannelHandlerContext ctx, Object message) {
    if (message instanceof HttpRequest) {
      open++;
      isHeaderDue = false;
      isBodyDue = true;
      requestAt = nanoClock.getAsLong();
    }
    if (message instanceof LastHttpContent) {
      isBodyDue = false;
    }
    ctx.fireChannelRead(message);
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (!hasRead && !isHeaderDue) {
      isHeaderDue = true;
      since = nanoClock.getAsLong();
    }
    hasRead = false;
    ctx.fireChannelReadComplete();
  }

  @Override
  public void read(ChannelHandlerContext ctx) {
    wantsRead = !held.isEmpty();
    if (!wantsRead) {
      ctx.read();
    }
  }

  private void passHeld(ChannelHandlerContext ctx) {
    while (!held.isEmpty() && !mustWait(held.peek())) {
      pass(ctx, held.poll());
    }
    ctx.fireChannelReadComplete();
    if (held.isEmpty() && wantsRead) {
      read(ctx);
    }
  }

  // Responses

  /**
   * Reserves memory for the response to a request. Returns false if the limit is exceeded.
   *
   * @param answered the request
   * @param bodyBytes the size of the request body
   * @param answerBytes the expected size of the response, used until its headers are written
   */
  boolean admit(HttpServerRequest answered, long bodyBytes, long answerBytes) {
    if (!all.take(bodyBytes + answerBytes)) {
      return false;
    }
    isCharged = true;
    request = answered;
    body = bodyBytes;
    charge = answerBytes;
    return true;
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    ChannelPromise sent = promise;
    if (message instanceof HttpResponse head) {
      if (head.status().codeClass() == HttpStatusClass.INFORMATIONAL) {
        ctx.write(message, promise);
        return;
      }
      if (isCharged) {
        long length = HttpUtil.getContentLength(head, STREAM_BYTES);
        all.charge(length - charge);
        charge = length;
      }
    }
    if (message instanceof HttpContent content) {
      written += content.content().readableBytes();
    }
    if (message instanceof LastHttpContent) {
      // The response is now in the channel's outbound buffer, which pending() includes.
      release();
      request = null;
      sent = promise.unvoid();
      sent.addListener(done -> answered(ctx));
    }
    ctx.write(message, sent);
  }

  private void answered(ChannelHandlerContext ctx) {
    open--;
    if (!kept.isEmpty()) {
      all.drop(kept.poll());
    }
    since = nanoClock.getAsLong();
    if (!held.isEmpty()) {
      // Process queued messages later, not within the write that completed the response.
      ctx.executor().execute(() -> passHeld(ctx));
    }
  }

  private void release() {
    if (isCharged) {
      isCharged = false;
      all.release(body + charge);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    release();
    held.forEach(ReferenceCountUtil::release);
    held.clear();
    kept.forEach(all::drop);
    kept.clear();
    ctx.fireChannelInactive();
    finish();
  }

  /**
   * Lets Camel read the rest of a page after the connection was closed. Otherwise the transfer
   * would wait for a free write queue, and the exchange would remain in flight. Vert.x discards the
   * written bytes.
   */
  private void finish() {
    if (request != null && request.response().headWritten() && !request.response().ended()) {
      ((Http1xServerConnection) request.connection()).handleInterestedOpsChanged();
      channel.eventLoop().schedule(this::finish, FINISH_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  // Time limits

  /** The number of bytes in the outbound buffer. */
  long pending() {
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    return out == null ? 0 : out.totalPendingWriteBytes();
  }

  /** Closes the connection if the client exceeds a time limit. Thread-safe. */
  void look() {
    if (channel.isRegistered()) {
      channel.eventLoop().execute(this::closeIfLate);
    }
  }

  private void closeIfLate() {
    long now = nanoClock.getAsLong();
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    // The pending bytes include all of the first buffer until it is completely sent.
    long sent = out == null ? written : written - pending() + out.currentProgress();
    if (out == null || out.isEmpty() || sent - taken >= LEAST_PROGRESS) {
      taken = sent;
      takenAt = now;
    } else if (now - takenAt > limits.reader().toNanos()) {
      all.refused(
          "reader", "A client of the pages reads no more of its answer: its connection is closed");
      close();
    }
    if (open == 0) {
      long patience = (isHeaderDue || isBodyDue ? limits.header() : limits.idle()).toNanos();
      if (now - since > patience) {
        close();
      }
    } else if (isBodyDue && now - requestAt > limits.reader().toNanos()) {
      close();
    }
  }
}
