package ecoflow.web;

import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpMessage;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.VertxHttpRequestDecoder;

/**
 * Vert.x's decoder, which also rejects requests with both Transfer-Encoding and Content-Length.
 * Netty only removes the length. A proxy in front of the exporter that uses the length would see
 * different requests (request smuggling).
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
