package ecoflow.cloud;

import io.moquette.broker.Server;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.mqtt.MqttSubscribeMessage;
import io.netty.util.AttributeKey;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Optional;

/**
 * Delays subscriptions until the broker has registered their connection. Moquette 0.17 registers it
 * on another thread shortly after its answer, and until then closes the connection of a client that
 * subscribes quickly.
 */
@Sharable
final class EarlySubscriptions extends ChannelInboundHandlerAdapter {

  private static final AttributeKey<Object> CONNECTION = AttributeKey.valueOf("connection");

  private EarlySubscriptions() {}

  /** Replaces an unused metrics handler right before Moquette's own handler. */
  static void installIn(Server started) {
    try {
      Object acceptor = field(started, "acceptor").get(started);
      field(acceptor, "metrics").set(acceptor, Optional.of(new EarlySubscriptions()));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Moquette differs from version 0.17", e);
    }
  }

  private static Field field(Object of, String name) throws ReflectiveOperationException {
    Field field = of.getClass().getDeclaredField(name);
    field.setAccessible(true);
    return field;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    boolean isEarly =
        message instanceof MqttSubscribeMessage
            && context.channel().isActive()
            && !isConnected(context.channel());
    if (isEarly) {
      context.executor().execute(() -> channelRead(context, message));
    } else {
      context.fireChannelRead(message);
    }
  }

  private static boolean isConnected(Channel channel) {
    Object connection = channel.attr(CONNECTION).get();
    try {
      Method isConnected = connection.getClass().getDeclaredMethod("isConnected");
      isConnected.setAccessible(true);
      return (boolean) isConnected.invoke(connection);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Moquette differs from version 0.17", e);
    }
  }
}
