package ecoflow.decode;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.function.Predicate;

/**
 * The fields of a message in the tables.
 *
 * @param isNumber whether the table declares the bytes of a field as a number or a bit mask
 */
public record Layout(Descriptor type, Predicate<FieldDescriptor> isNumber) {}
