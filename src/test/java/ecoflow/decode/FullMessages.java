package ecoflow.decode;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import ecoflow.decode.proto.Header;
import ecoflow.testkit.Frames;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Messages with all fields that the packaged tables define. */
public final class FullMessages {

  /** The number of items in a list, which is at least the largest index in the tables. */
  private static final int ITEMS = 8;

  /** The number of numbers in a list. */
  private static final int NUMBERS = 4;

  private static final MessageTable TABLE = MessageTable.load();

  private FullMessages() {}

  /** One frame for each command that a device sends. Numbers outside of lists are 1. */
  public static List<byte[]> of(String serial) {
    List<byte[]> frames = new ArrayList<>();
    for (MessageTable.Entry entry : TABLE.entries()) {
      Header header =
          Header.newBuilder().setCmdFunc(entry.cmdFunc()).setCmdId(entry.cmdId()).setSrc(2).build();
      if (entry.equals(TABLE.find(header, serial))) {
        byte[] message = message(TABLE.type(entry), 0).toByteArray();
        frames.add(Frames.frame(Frames.header(entry.cmdFunc(), entry.cmdId(), message)));
      }
    }
    return frames;
  }

  /**
   * @param item the number of the list item, which is also the value of its whole numbers, because
   *     they can be its index; 0 outside of lists
   */
  private static DynamicMessage message(Descriptor type, int item) {
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    for (FieldDescriptor field : type.getFields()) {
      if (field.isRepeated() && field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        int items = item == 0 ? ITEMS : 1;
        for (int i = 1; i <= items; i++) {
          message.addRepeatedField(field, message(field.getMessageType(), i));
        }
        continue;
      }
      int whole = Math.max(item, 1);
      Object value =
          switch (field.getJavaType()) {
            case INT -> whole;
            case LONG -> (long) whole;
            case FLOAT -> 1.0f;
            case DOUBLE -> 1.0;
            case BOOLEAN -> true;
            case STRING -> "AB12";
            case MESSAGE -> message(field.getMessageType(), item);
            case ENUM, BYTE_STRING -> null;
          };
      boolean isText = field.getJavaType() == FieldDescriptor.JavaType.STRING;
      if (isText && item == ITEMS) {
        // The total in a list does not have a serial number.
        continue;
      }
      if (value != null && field.isRepeated()) {
        Collections.nCopies(NUMBERS, value).forEach(of -> message.addRepeatedField(field, of));
      } else if (value != null) {
        message.setField(field, value);
      }
    }
    return message.build();
  }
}
