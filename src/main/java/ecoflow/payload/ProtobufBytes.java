package ecoflow.payload;

import com.google.protobuf.Message;
import org.apache.camel.Exchange;
import org.apache.camel.dataformat.protobuf.ProtobufDataFormat;

/**
 * Camel's protobuf format, which reads a body of bytes as they are: through a stream each header of
 * a few hundred bytes would cost a buffer of 4 kB and more time than all that is done with it.
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
