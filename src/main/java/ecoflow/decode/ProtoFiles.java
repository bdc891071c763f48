package ecoflow.decode;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The packaged .proto files. A file is parsed when one of its messages is first used: a household
 * has devices of one or two families, and parsing all files would slow down the start.
 */
final class ProtoFiles {

  private final Map<String, ByteString> packaged = new HashMap<>();
  private final Map<String, FileDescriptor> read = new ConcurrentHashMap<>();

  /**
   * Splits a descriptor set into its files.
   *
   * @param descriptorSet a FileDescriptorSet as protoc writes it
   */
  ProtoFiles(byte[] descriptorSet) throws IOException {
    CodedInputStream set = CodedInputStream.newInstance(descriptorSet);
    while (set.readTag() != 0) {
      ByteString file = set.readBytes();
      // The first field of a file is its name, "general.proto".
      CodedInputStream fields = file.newCodedInput();
      fields.readTag();
      packaged.put(fields.readString().replace(".proto", ""), file);
    }
  }

  /** The message "family.Name". */
  Descriptor message(String name) {
    Descriptor message = find(name);
    if (message == null) {
      throw new IllegalStateException("No message " + name);
    }
    return message;
  }

  /** The message "family.Name", or null. */
  Descriptor find(String name) {
    int dot = name.indexOf('.');
    return dot > 0 && has(name.substring(0, dot))
        ? read.computeIfAbsent(name.substring(0, dot), this::read)
            .findMessageTypeByName(name.substring(dot + 1))
        : null;
  }

  boolean has(String family) {
    return packaged.containsKey(family) || read.containsKey(family);
  }

  /** Adds one of the user's files. */
  void add(String family, FileDescriptor file) {
    read.put(family, file);
  }

  private FileDescriptor read(String family) {
    try {
      return build(FileDescriptorProto.parseFrom(packaged.get(family)));
    } catch (InvalidProtocolBufferException | DescriptorValidationException e) {
      throw new IllegalStateException("The packaged " + family + ".proto is corrupt", e);
    }
  }

  static FileDescriptor build(FileDescriptorProto file) throws DescriptorValidationException {
    // With proto3, a string that is not UTF-8 invalidates the whole message. Proto2 accepts it, and
    // no other difference is relevant here.
    return FileDescriptor.buildFrom(file.toBuilder().clearSyntax().build(), new FileDescriptor[0]);
  }
}
