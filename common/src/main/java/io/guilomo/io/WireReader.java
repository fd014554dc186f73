package io.guilomo.io;

import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * Iterates over the fields of a protobuf message in a file, without reading those it skips. Every
 * length is checked against the enclosing message.
 */
final class WireReader {

  static final int VARINT = 0;
  static final int LENGTH_DELIMITED = 2;

  private static final int FIXED64 = 1;
  private static final int FIXED32 = 5;
  private static final int MAX_TEXT = 1 << 16;

  private final FSDataInputStream in;
  private final Object file;
  private final byte[] buffer = new byte[1 << 13];
  private long bufferStart;
  private int bufferLength;
  private long position;
  private int field;
  private int wireType;
  private long value;
  private long valueEnd;

  WireReader(FSDataInputStream in, Object file) {
    this.in = in;
    this.file = file;
  }

  /**
   * Reads the key of the next field of the message that ends at {@code end}. A length-delimited
   * value must then be read, skipped, or iterated over as a message that ends at {@link #valueEnd}.
   *
   * @return false at the end of the message
   */
  boolean next(long end) throws IOException {
    if (position == end) {
      return false;
    }
    long tag = readVarint(end);
    field = (int) (tag >>> 3);
    wireType = (int) (tag & 7);
    switch (wireType) {
      case VARINT -> {
        value = readVarint(end);
        valueEnd = position;
      }
      case LENGTH_DELIMITED -> setLength(readVarint(end), end);
      case FIXED64 -> setLength(Long.BYTES, end);
      case FIXED32 -> setLength(Integer.BYTES, end);
      default -> throw refuse("wire type %s at byte %s".formatted(wireType, position));
    }
    return true;
  }

  private void setLength(long length, long end) {
    if (length < 0 || length > end - position) {
      throw refuse(
          "field %s at byte %s claims %s bytes"
              .formatted(field, position, Long.toUnsignedString(length)));
    }
    valueEnd = position + length;
  }

  boolean is(int number, int type) {
    return field == number && wireType == type;
  }

  /** The value of a varint field. */
  long varint() {
    return value;
  }

  /** First byte of the current value; for a message, the start of its fields. */
  long valueStart() {
    return position;
  }

  /** Byte after the current value. */
  long valueEnd() {
    return valueEnd;
  }

  void skip() {
    position = valueEnd;
  }

  /** A few bytes before the current position. */
  byte[] at(long start, int length) throws IOException {
    long here = position;
    position = start;
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = readByte(start + length);
    }
    position = here;
    return bytes;
  }

  /** A short value as text. */
  String text() throws IOException {
    long length = valueEnd - position;
    if (length > MAX_TEXT) {
      throw refuse(
          "field %s at byte %s has %s bytes, expected a short one"
              .formatted(field, position, length));
    }
    byte[] bytes = new byte[(int) length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = readByte(valueEnd);
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /**
   * The next of the packed numbers of a length-delimited field; call it while {@link #valueStart}
   * is before the end of the field.
   */
  long packedVarint(long end) throws IOException {
    return readVarint(end);
  }

  private long readVarint(long end) throws IOException {
    long result = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      byte next = readByte(end);
      result |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return result;
      }
    }
    throw refuse("a number at byte %s does not end".formatted(position));
  }

  private byte readByte(long end) throws IOException {
    if (position >= end) {
      throw refuse("a message ends within a field at byte %s".formatted(position));
    }
    if (position < bufferStart || position >= bufferStart + bufferLength) {
      in.seek(position);
      bufferStart = position;
      bufferLength = in.read(buffer);
      if (bufferLength <= 0) {
        bufferLength = 0;
        throw refuse("it ends at byte %s".formatted(position));
      }
    }
    return buffer[(int) (position++ - bufferStart)];
  }

  private UserException refuse(String reason) {
    return SafetensorsHeader.refuse(file, "it is not a valid ONNX file (%s)".formatted(reason));
  }
}
