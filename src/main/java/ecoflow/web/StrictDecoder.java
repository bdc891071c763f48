package ecoflow.web;

import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpMessage;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.VertxHttpRequestDecoder;

/**
 * Vert.x' decoder, but a request with both Transfer-Encoding and Content-Length is malformed. Netty
 * removes the length, while a proxy before the exporter may go by it and see other requests.
 */
final class StrictDecoder extends VertxHttpRequestDecoder {

  StrictDecoder(HttpServerOptions options) {
    super(options);
  }

  @Override
  protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
    super.handleTransferEncodingChunkedWithContentLength(message);
    message.setDecoderResult(
        DecoderResult.failure(
            new IllegalArgumentException("Transfer-Encoding with Content-Length")));
  }
}
