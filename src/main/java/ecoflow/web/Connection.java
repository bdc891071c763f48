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
import io.netty.util.concurrent.Future;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.Http1xServerConnection;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A client connection to the web server, with its time limits and memory use. In the pipeline, the
 * handler is between Netty's HTTP codec and Vert.x. Methods run on the event loop of the channel
 * unless noted otherwise.
 */
final class Connection extends ChannelDuplexHandler {

  /** The minimum number of bytes of a response that a client must read within the time limit. */
  static final long MIN_PROGRESS = 1 << 14;

  /** The maximum number of requests in Vert.x without a complete response. */
  static final int MAX_PIPELINED = 16;

  /** The maximum number of queued messages (parts of requests); one read can contain many. */
  static final int MAX_QUEUED = 512;

  /** Estimated memory in bytes of a request and of a header, without their texts. */
  private static final int REQUEST_BYTES = 512;

  private static final int HEADER_BYTES = 64;

  /** The pause between two parts of a page after the client has disconnected. */
  private static final long DRAIN_MILLIS = 5;

  /**
   * The maximum time to wait for a connection to close, which is exceeded only if the event loop is
   * blocked.
   */
  private static final long MAX_CLOSE_MILLIS = 500;

  /** Estimated memory in bytes of a response of unknown length, see PageStream. */
  private static final long STREAM_BYTES = 1 << 19;

  private static final AttributeKey<Connection> KEY = AttributeKey.valueOf(Connection.class, "web");

  private final Channel channel;
  private final Connections all;
  private final Limits limits;
  private final LongSupplier nanoClock;

  private final Deque<Object> queued = new ArrayDeque<>();

  /** The reserved bytes of each request without a complete response; 0 for the first of them. */
  private final Deque<Long> reserved = new ArrayDeque<>();

  private boolean isReadPending;
  private boolean hasRead;
  private boolean isClosing;
  private boolean isFlood;
  private int passwordFailures;

  /** The number of requests whose responses are not completely sent. */
  private volatile int openRequests;

  /** The time from which the connection has waited for a request. */
  private volatile long waitingSince;

  /** Whether the headers of a request are incomplete; otherwise the connection is idle. */
  private boolean isHeaderDue = true;

  private boolean isBodyDue;
  private long requestAt;

  /** The next check of the time limits; null until the connection is open. */
  private Future<?> check;

  /** The number of body bytes in all responses. */
  private long written;

  /** The value of {@link #written} that had reached the client at the last progress. */
  private long receivedByClient;

  private long lastProgressAt;

  /** Whether the total of all connections includes the memory of the current response. */
  private boolean isAdmitted;

  private long bodyCharge;
  private long responseCharge;

  /** The admitted request whose response is not complete. */
  private HttpServerRequest request;

  /** Called on the acceptor thread. */
  Connection(Channel channel, Connections all, LongSupplier nanoClock) {
    this.channel = channel;
    this.all = all;
    this.limits = all.limits();
    this.nanoClock = nanoClock;
    this.waitingSince = nanoClock.getAsLong();
    this.lastProgressAt = waitingSince;
    channel.attr(KEY).set(this);
  }

  static Connection of(HttpConnection connection) {
    return ((ConnectionBase) connection).channelHandlerContext().channel().attr(KEY).get();
  }

  /** Adds this handler to the pipeline. Called after the TLS handshake, which adds the codec. */
  void open(HttpServerOptions options) {
    channel.pipeline().replace("httpDecoder", "httpDecoder", new StrictDecoder(options));
    channel.pipeline().addBefore("handler", "ecoflow", this);
    scheduleCheck();
  }

  /** Thread-safe. */
  boolean isIdle() {
    return openRequests == 0 && channel.isRegistered();
  }

  /** Thread-safe. */
  long idleSince() {
    return waitingSince;
  }

  /**
   * Closes the connection. Vert.x would first wait until the client has read the written bytes.
   * Thread-safe.
   */
  void close() {
    channel.eventLoop().execute(() -> channel.unsafe().close(channel.unsafe().voidPromise()));
  }

  /**
   * Closes the connection and waits until it is closed. Without waiting, a burst of connections
   * would use file descriptors faster than they are released, and Netty stops accepting for 1 s
   * when the limit is reached. Called on the acceptor thread.
   */
  void closeBeforeNext() {
    close();
    channel.closeFuture().awaitUninterruptibly(MAX_CLOSE_MILLIS);
  }

  /** The number of wrong passwords in requests of this connection. */
  int passwordFailures() {
    return passwordFailures;
  }

  void passwordFailed() {
    passwordFailures++;
  }

  /** Whether further requests are ignored because the connection is being closed. */
  boolean isClosing() {
    return isClosing;
  }

  void startClosing() {
    isClosing = true;
    headerDue();
  }

  // Requests

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    hasRead = true;
    // Further messages of the same read arrive before the connection is closed.
    if (isFlood || (isClosing && message instanceof HttpRequest)) {
      ReferenceCountUtil.release(message);
    } else if (!reserve(message) || queued.size() == MAX_QUEUED) {
      ReferenceCountUtil.release(message);
      isFlood = true;
      all.refused(
          "pipelined",
          "A client of the pages sends requests without reading the responses: closing its connection");
      close();
    } else if (!queued.isEmpty() || mustWait(message)) {
      queued.add(message);
    } else {
      pass(ctx, message);
    }
  }

  private boolean mustWait(Object message) {
    return message instanceof HttpRequest && openRequests >= MAX_PIPELINED;
  }

  /**
   * Reserves memory for a request that has to wait, until its response is sent. Returns false if
   * the limit is exceeded.
   */
  private boolean reserve(Object message) {
    long bytes = 0;
    if (message instanceof HttpRequest request) {
      bytes = reserved.isEmpty() ? 0 : bytes(request);
      reserved.add(0L);
    } else if (message instanceof HttpContent content && reserved.size() > 1) {
      bytes = content.content().readableBytes();
    }
    if (!all.reserve(bytes)) {
      return false;
    }
    if (bytes > 0) {
      reserved.add(reserved.removeLast() + bytes);
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
      openRequests++;
      isHeaderDue = false;
      isBodyDue = true;
      requestAt = nanoClock.getAsLong();
      scheduleCheck();
    }
    if (message instanceof LastHttpContent) {
      isBodyDue = false;
    }
    ctx.fireChannelRead(message);
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (!hasRead && !isHeaderDue) {
      waitingSince = nanoClock.getAsLong();
      headerDue();
    }
    hasRead = false;
    ctx.fireChannelReadComplete();
  }

  @Override
  public void read(ChannelHandlerContext ctx) {
    isReadPending = !queued.isEmpty();
    if (!isReadPending) {
      ctx.read();
    }
  }

  private void passQueued(ChannelHandlerContext ctx) {
    while (!queued.isEmpty() && !mustWait(queued.peek())) {
      pass(ctx, queued.poll());
    }
    ctx.fireChannelReadComplete();
    if (queued.isEmpty() && isReadPending) {
      read(ctx);
    }
  }

  // Responses

  /**
   * Reserves memory for the response to a request. Returns false if the limit is exceeded.
   *
   * @param admitted the request
   * @param bodyBytes the size of the request body
   * @param responseBytes the expected size of the response, used until its headers are written
   */
  boolean admit(HttpServerRequest admitted, long bodyBytes, long responseBytes) {
    if (!all.admit(bodyBytes + responseBytes)) {
      return false;
    }
    isAdmitted = true;
    request = admitted;
    bodyCharge = bodyBytes;
    responseCharge = responseBytes;
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
      if (isAdmitted) {
        long length = HttpUtil.getContentLength(head, STREAM_BYTES);
        all.charge(length - responseCharge);
        responseCharge = length;
      }
    }
    if (message instanceof HttpContent content) {
      written += content.content().readableBytes();
    }
    if (message instanceof LastHttpContent) {
      // From now on, pending() includes the response.
      release();
      request = null;
      sent = promise.unvoid();
      sent.addListener(done -> responseSent(ctx));
    }
    ctx.write(message, sent);
  }

  private void responseSent(ChannelHandlerContext ctx) {
    openRequests--;
    if (!reserved.isEmpty()) {
      all.unreserve(reserved.poll());
    }
    waitingSince = nanoClock.getAsLong();
    scheduleCheck();
    if (!queued.isEmpty()) {
      // Not within the write that completed the response.
      ctx.executor().execute(() -> passQueued(ctx));
    }
  }

  private void release() {
    if (isAdmitted) {
      isAdmitted = false;
      all.release(bodyCharge + responseCharge);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    check.cancel(false);
    release();
    queued.forEach(ReferenceCountUtil::release);
    queued.clear();
    reserved.forEach(all::unreserve);
    reserved.clear();
    ctx.fireChannelInactive();
    drain();
  }

  /**
   * Lets Camel write the rest of a page after the connection has been closed; Vert.x discards the
   * bytes. Otherwise Camel would wait for a free write queue, and the exchange would remain in
   * flight.
   */
  private void drain() {
    if (request != null && request.response().headWritten() && !request.response().ended()) {
      ((Http1xServerConnection) request.connection()).handleInterestedOpsChanged();
      channel.eventLoop().schedule(this::drain, DRAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  // Time limits

  /** The number of bytes in the outbound buffer. */
  long pending() {
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    return out == null ? 0 : out.totalPendingWriteBytes();
  }

  private void headerDue() {
    isHeaderDue = true;
    scheduleCheck();
  }

  /**
   * Schedules the next check. An idle connection causes none before its time limit, so that a
   * scraper with a persistent connection does not wake the event loop between scrapes.
   */
  private void scheduleCheck() {
    if (check != null) {
      check.cancel(false);
    }
    if (!channel.isActive()) {
      return;
    }
    Duration delay =
        openRequests == 0 && !isHeaderDue && !isBodyDue ? limits.idle() : limits.checkPeriod();
    check =
        channel.eventLoop().schedule(this::checkTimeouts, delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void checkTimeouts() {
    closeIfTimedOut();
    scheduleCheck();
  }

  private void closeIfTimedOut() {
    long now = nanoClock.getAsLong();
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    // The pending bytes include the whole first buffer until it is completely sent.
    long sent = out == null ? written : written - pending() + out.currentProgress();
    if (out == null || out.isEmpty() || sent - receivedByClient >= MIN_PROGRESS) {
      receivedByClient = sent;
      lastProgressAt = now;
    } else if (now - lastProgressAt > limits.reader().toNanos()) {
      all.refused(
          "reader",
          "A client of the pages has stopped reading its response: closing its connection");
      close();
    }
    if (openRequests == 0) {
      long timeout = (isHeaderDue || isBodyDue ? limits.header() : limits.idle()).toNanos();
      if (now - waitingSince >= timeout) {
        close();
      }
    } else if (isBodyDue && now - requestAt > limits.reader().toNanos()) {
      close();
    }
  }
}
