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
 * Lets subscriptions wait until the broker knows of their connection. Moquette 0.17 takes note of
 * it on another thread a moment after its answer went out, and meanwhile closes the connection of a
 * client that is quick to subscribe.
 */
@Sharable
final class EarlySubscriptions extends ChannelInboundHandlerAdapter {

  private static final AttributeKey<Object> CONNECTION = AttributeKey.valueOf("connection");

  private EarlySubscriptions() {}

  /**
   * Takes the place, right before Moquette's own handler, of a metrics handler that is not used.
   */
  static void letWait(Server started) {
    try {
      Object acceptor = field(started, "acceptor").get(started);
      field(acceptor, "metrics").set(acceptor, Optional.of(new EarlySubscriptions()));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Moquette is not as in 0.17", e);
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
      throw new IllegalStateException("Moquette is not as in 0.17", e);
    }
  }
}
