package ecoflow.decode;

import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.List;
import java.util.Map;

/**
 * The fields of a message, prepared for fast lookup while bytes are read. Lookups in descriptors
 * would double the cost of decoding.
 */
final class MessageType {

  /** The meaning of a bytes field. */
  enum BytesRule {
    NO_VALUE,
    /** A little-endian number. */
    NUMBER,
    /** A bit mask. */
    MASK
  }

  /**
   * One field.
   *
   * @param position index in {@link #fields}
   * @param key the name with the prefix of the table
   * @param message the type of a nested message, otherwise null
   */
  record Field(
      int position,
      int number,
      String name,
      String key,
      FieldDescriptor.Type type,
      int wireType,
      boolean isRepeated,
      boolean isPackable,
      BytesRule bytesRule,
      MessageType message) {

    static Field of(
        int position, FieldDescriptor field, String key, BytesRule bytesRule, MessageType message) {
      return new Field(
          position,
          field.getNumber(),
          field.getName(),
          key,
          field.getType(),
          field.getLiteType().getWireType(),
          field.isRepeated(),
          field.isPackable(),
          bytesRule,
          message);
    }
  }

  private final Field[] byNumber;
  private final List<Field> fields;
  private final ListItems.Rule listRule;
  private final Map<String, Object> zeros;

  /**
   * @param fields in the order of their positions
   * @param listRule the rule for messages of this type as list items
   * @param zeros the values of absent fields, by field key
   */
  MessageType(List<Field> fields, ListItems.Rule listRule, Map<String, Object> zeros) {
    this.fields = List.copyOf(fields);
    this.listRule = listRule;
    this.zeros = zeros;
    // The array stays small: field numbers of the packaged messages are below 2000.
    byNumber = new Field[fields.stream().mapToInt(Field::number).max().orElse(0) + 1];
    fields.forEach(field -> byNumber[field.number()] = field);
  }

  /** The field with this number; null if the message has no such field. */
  Field field(int number) {
    return number < byNumber.length ? byNumber[number] : null;
  }

  /** All fields in the order of their numbers. */
  List<Field> fields() {
    return fields;
  }

  ListItems.Rule listRule() {
    return listRule;
  }

  /** The values of absent fields, in the order of rules.csv. */
  Map<String, Object> zeros() {
    return zeros;
  }
}
