package ecoflow.web;

import ecoflow.text.Lines;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.vertx.core.impl.transports.JDKTransport;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.spi.transport.Transport;
import java.io.IOException;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * All client connections of the web server. The handler precedes Netty's acceptor, so that a
 * connection counts as soon as it is accepted, before its TLS handshake.
 */
@Sharable
final class Connections extends ChannelInboundHandlerAdapter {

  private final Limits limits;
  private final Lines lines;
  private final LongSupplier nanoClock;
  private final Consumer<String> refused;
  private final Set<Connection> all = ConcurrentHashMap.newKeySet();
  private final AtomicInteger responses = new AtomicInteger();
  private final AtomicLong charged = new AtomicLong();
  private final AtomicLong reserved = new AtomicLong();

  /**
   * @param refused receives the reason for each connection and request that is rejected or closed
   */
  Connections(Limits limits, Lines lines, LongSupplier nanoClock, Consumer<String> refused) {
    this.limits = limits;
    this.lines = lines;
    this.nanoClock = nanoClock;
    this.refused = refused;
  }

  Limits limits() {
    return limits;
  }

  /** A transport for a Vert.x instance, which adds this handler to its servers. */
  Transport transport() {
    return new JDKTransport() {
      @Override
      public void configure(NetServerOptions options, boolean domain, ServerBootstrap bootstrap) {
        super.configure(options, domain, bootstrap);
        bootstrap.handler(Connections.this);
      }
    };
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    // Netty's acceptor pauses for 1 s, then passes the failure to the next handler.
    ctx.pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void exceptionCaught(ChannelHandlerContext last, Throwable failure) {
                if (failure instanceof Error) {
                  // Netty logs the error. The log appender ends the process on an
                  // OutOfMemoryError.
                  last.fireExceptionCaught(failure);
                } else {
                  acceptFailed(failure);
                }
              }
            });
    ctx.fireChannelActive();
  }

  /** Handles a failure such as "Too many open files". */
  private void acceptFailed(Throwable failure) {
    if (failure instanceof IOException) {
      longestIdle().ifPresent(Connection::close);
    }
    refused.accept("connections");
    lines.warn("not accepted", "Cannot accept a connection to the pages: " + Lines.root(failure));
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Channel channel = (Channel) message;
    if (all.size() >= limits.connections()) {
      Optional<Connection> idle = longestIdle();
      refused(
          "connections",
          "The limit of "
              + all.size()
              + " connections to the pages is reached: closing the "
              + (idle.isPresent() ? "longest idle" : "new")
              + " connection");
      if (idle.isEmpty()) {
        channel.unsafe().closeForcibly();
        return;
      }
      all.remove(idle.get());
      idle.get().closeBeforeNext();
    }
    Connection connection = new Connection(channel, this, nanoClock);
    all.add(connection);
    channel.closeFuture().addListener(closed -> all.remove(connection));
    ctx.fireChannelRead(channel);
  }

  private Optional<Connection> longestIdle() {
    long now = nanoClock.getAsLong();
    return all.stream()
        .filter(Connection::isIdle)
        .min(Comparator.comparingLong(connection -> connection.idleSince() - now));
  }

  void refused(String reason, String line) {
    refused.accept(reason);
    lines.warn(reason, line);
  }

  /** Must be called on the event loop of the connections. */
  private long pending() {
    long pending = 0;
    for (Connection connection : all) {
      pending += connection.pending();
    }
    return pending;
  }

  /**
   * Reserves memory for a response. Returns false if a limit is exceeded. A response counts until
   * the client has received it or its connection is closed.
   *
   * @param bytes the expected size
   */
  boolean admit(long bytes) {
    if (responses.get() >= limits.answers() || charged.get() + pending() + bytes > limits.bytes()) {
      return false;
    }
    responses.incrementAndGet();
    charged.addAndGet(bytes);
    return true;
  }

  void charge(long more) {
    charged.addAndGet(more);
  }

  void release(long bytes) {
    responses.decrementAndGet();
    charged.addAndGet(-bytes);
  }

  /** Reserves memory for pipelined requests. Returns false if the limit is exceeded. */
  boolean reserve(long bytes) {
    if (reserved.addAndGet(bytes) > limits.pipelined()) {
      reserved.addAndGet(-bytes);
      return false;
    }
    return true;
  }

  /** Reverts {@link #reserve}. */
  void unreserve(long bytes) {
    reserved.addAndGet(-bytes);
  }
}
