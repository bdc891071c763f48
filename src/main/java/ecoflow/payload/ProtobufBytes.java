package ecoflow.payload;

import com.google.protobuf.Message;
import org.apache.camel.Exchange;
import org.apache.camel.dataformat.protobuf.ProtobufDataFormat;

/**
 * Camel's protobuf data format for a body of bytes.
 *
 * <p>Fast path, read last: Camel's own class reads bytes through a stream, with a buffer of 4 kB
 * for each header of a few hundred bytes. That takes more time than all other steps of a header.
 */
final class ProtobufBytes extends ProtobufDataFormat {

  private Message type;

  @Override
  public Object unmarshal(Exchange exchange, Object body) throws Exception {
    return body instanceof byte[] bytes && type != null
        ? type.getParserForType().parseFrom(bytes)
        : super.unmarshal(exchange, body);
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    if (getInstanceClass() != null && CONTENT_TYPE_FORMAT_NATIVE.equals(getContentTypeFormat())) {
      type = loadDefaultInstance(getInstanceClass(), getCamelContext());
    }
  }
}
