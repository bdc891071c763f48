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
 * A connection to the pages: how long it waits for its client, and what it holds. Sits between
 * Netty's HTTP codec and Vert.x, and runs on the event loop of the channel but where noted.
 */
final class Connection extends ChannelDuplexHandler {

  /** A client that takes less than this of an answer within the time for readers has stopped. */
  static final long LEAST_PROGRESS = 1 << 14;

  /** Requests that Vert.x may have before their answers are sent. */
  static final int MAX_PIPELINED = 16;

  /** Parts of further requests that arrived with those; one read can bring many. */
  static final int MAX_HELD = 512;

  /** Objects of a request and of a header, beside their text. */
  private static final int REQUEST_BYTES = 512;

  private static final int HEADER_BYTES = 64;

  /** Pause between two parts of a page whose client is gone. */
  private static final long FINISH_MILLIS = 5;

  /** The event loop is busy for much less, unless it hangs. */
  private static final long CLOSE_MILLIS = 500;

  /** What an answer holds whose length is not known: see PageStream. */
  private static final long STREAM_BYTES = 1 << 19;

  private static final AttributeKey<Connection> KEY = AttributeKey.valueOf(Connection.class, "web");

  private final Channel channel;
  private final Connections all;
  private final Limits limits;
  private final LongSupplier nanoClock;

  private final Deque<Object> held = new ArrayDeque<>();

  /** Bytes kept for each request without a response; 0 for one that waited for no other. */
  private final Deque<Long> kept = new ArrayDeque<>();

  private boolean wantsRead;
  private boolean hasRead;
  private boolean isEnding;
  private boolean isFlood;
  private int failures;

  /** Requests whose answers are not completely sent. */
  private volatile int open;

  /** Start of the wait for a request. */
  private volatile long since;

  /** Whether the client owes the rest of a request, and not just another one. */
  private boolean isHeaderDue = true;

  private boolean isBodyDue;
  private long requestAt;

  /** Body bytes of all answers. */
  private long written;

  /** Of {@link #written}, what the client had at the last progress. */
  private long taken;

  private long takenAt;

  /** Whether the answer that is being made was admitted, with what it holds. */
  private boolean isCharged;

  private long body;
  private long charge;

  /** The admitted one whose response is not complete; its page would stay in memory. */
  private HttpServerRequest request;

  /** On the thread that accepts. */
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

  /** As soon as the codec is there, after the TLS handshake. */
  void open(HttpServerOptions options) {
    channel.pipeline().replace("httpDecoder", "httpDecoder", new StrictDecoder(options));
    channel.pipeline().addBefore("handler", "ecoflow", this);
  }

  /** On any thread. */
  boolean isIdle() {
    return open == 0 && channel.isRegistered();
  }

  /** On any thread. */
  long idleSince() {
    return since;
  }

  /** On any thread. Vert.x would wait until the client has read what was written. */
  void close() {
    channel.eventLoop().execute(() -> channel.unsafe().close(channel.unsafe().voidPromise()));
  }

  /**
   * On the thread that accepts: waits until it is closed. A burst of connections would otherwise
   * take file descriptors faster than they get free, and at their limit Netty accepts nothing for 1
   * s.
   */
  void closeBeforeNext() {
    close();
    channel.closeFuture().awaitUninterruptibly(CLOSE_MILLIS);
  }

  /** Wrong passwords that came with its requests. */
  int failures() {
    return failures;
  }

  void failed() {
    failures++;
  }

  /** Whether its requests are ignored from now on: it is about to be closed. */
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
    // More of what one read brought can follow before the connection is closed.
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

  /** Whether there is memory for the message; it is needed until the response is sent. */
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

  // Answers

  /**
   * Whether the answer to the request at hand may be made.
   *
   * @param answered the request
   * @param bodyBytes of the request
   * @param answerBytes that are expected, until its head is written
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
      // It is in the channel now, where it counts as pending.
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
      // Not within the write that ended the answer.
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
   * Lets Camel read the rest of a page whose connection is closed: its transfer waits until the
   * write queue is free, and the exchange would stay in flight. Vert.x discards what is written.
   */
  private void finish() {
    if (request != null && request.response().headWritten() && !request.response().ended()) {
      ((Http1xServerConnection) request.connection()).handleInterestedOpsChanged();
      channel.eventLoop().schedule(this::finish, FINISH_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  // Time

  /** Bytes that wait for the client. */
  long pending() {
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    return out == null ? 0 : out.totalPendingWriteBytes();
  }

  /** On any thread: closes the connection if its client is late. */
  void look() {
    if (channel.isRegistered()) {
      channel.eventLoop().execute(this::closeIfLate);
    }
  }

  private void closeIfLate() {
    long now = nanoClock.getAsLong();
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    // Bytes that are sent of the first buffer count as pending until all of it is.
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
