package ecoflow.decode;

import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.List;
import java.util.Map;

/**
 * The fields of a message as they are looked up while bytes are read. Descriptors say the same, but
 * to ask them costs as much as all the rest.
 */
final class MessageType {

  /** What the bytes of a field are. */
  enum BytesRule {
    NO_VALUE,
    /** A number, lowest byte first. */
    NUMBER,
    /** Each bit says something of its own. */
    MASK
  }

  /**
   * One field.
   *
   * @param place its number among the fields of the message, in the order of their numbers on the
   *     wire
   * @param key the name with what the table puts before it
   * @param message of a field with messages, else null
   */
  record Field(
      int place,
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
        int place, FieldDescriptor field, String key, BytesRule bytesRule, MessageType message) {
      return new Field(
          place,
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
   * @param fields in the order of their places
   * @param listRule how such messages stand in a list
   * @param zeros what a message has that comes without them, by field key
   */
  MessageType(List<Field> fields, ListItems.Rule listRule, Map<String, Object> zeros) {
    this.fields = List.copyOf(fields);
    this.listRule = listRule;
    this.zeros = zeros;
    // The largest number that a packaged message has is below 2000.
    byNumber = new Field[fields.stream().mapToInt(Field::number).max().orElse(0) + 1];
    fields.forEach(field -> byNumber[field.number()] = field);
  }

  /** The field of a number; null if the message has none. */
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

  /** In the order of rules.csv. */
  Map<String, Object> zeros() {
    return zeros;
  }
}
