package ecoflow.decode;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.WireFormat;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** Tells a header from other bytes by the tags of its fields alone. */
final class HeaderTags {

  /** Wire types by field number. */
  private static final Map<Integer, Integer> WIRE_TYPES = new HashMap<>();

  static {
    for (FieldDescriptor field : Header.getDescriptor().getFields()) {
      WIRE_TYPES.put(field.getNumber(), field.getLiteType().getWireType());
    }
  }

  private HeaderTags() {}

  /** Tells newer fields, which may come, from known ones. */
  static boolean isKnown(int number) {
    return WIRE_TYPES.containsKey(number);
  }

  /** Whether the bytes are a header, each known field of its type, with a message or a command. */
  static boolean carryMessage(byte[] bytes, int start, int length) {
    CodedInputStream in = CodedInputStream.newInstance(bytes, start, length);
    boolean carries = false;
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        int number = WireFormat.getTagFieldNumber(tag);
        Integer wireType = WIRE_TYPES.get(number);
        if ((wireType != null && wireType != WireFormat.getTagWireType(tag))
            || !in.skipField(tag)) {
          return false;
        }
        carries |= number == Header.PDATA_FIELD_NUMBER || number == Header.CMD_FUNC_FIELD_NUMBER;
      }
    } catch (IOException e) {
      return false;
    }
    return carries;
  }
}
