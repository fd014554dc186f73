package io.guilomo.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import org.apache.hadoop.fs.FSDataInputStream;

/** Reads weights from a file in blocks of at most 1 MiB. */
final class BlockReader {

  static final int BLOCK = 1 << 20;

  private final FSDataInputStream in;
  private byte[] block = new byte[0];
  private float[] values;

  BlockReader(FSDataInputStream in) {
    this.in = in;
  }

  /**
   * Passes the elements that start at byte {@code begin} to {@code target}.
   *
   * @param digest is updated with the bytes; may be null
   */
  void read(long begin, TensorType type, long elements, FloatSink target, MessageDigest digest)
      throws IOException {
    if (elements == 0) {
      return;
    }
    int needed = block(elements * type.bytes());
    if (values == null || values.length < needed / Short.BYTES) {
      values = new float[needed / Short.BYTES];
    }
    in.seek(begin);
    for (long done = 0; done < elements; ) {
      int count = (int) Math.min(BLOCK / type.bytes(), elements - done);
      in.readFully(block, 0, count * type.bytes());
      if (digest != null) {
        digest.update(block, 0, count * type.bytes());
      }
      type.decode(ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN), values, count);
      target.put(done, values, count);
      done += count;
    }
  }

  /** Updates {@code digest} with the bytes from {@code begin}, as reading them would. */
  void digest(long begin, long bytes, MessageDigest digest) throws IOException {
    block(bytes);
    in.seek(begin);
    for (long done = 0; done < bytes; ) {
      int count = (int) Math.min(BLOCK, bytes - done);
      in.readFully(block, 0, count);
      digest.update(block, 0, count);
      done += count;
    }
  }

  /** Writes the bytes from {@code begin} as they are. */
  void copy(long begin, long bytes, OutputStream out) throws IOException {
    block(bytes);
    in.seek(begin);
    for (long done = 0; done < bytes; ) {
      int count = (int) Math.min(BLOCK, bytes - done);
      in.readFully(block, 0, count);
      out.write(block, 0, count);
      done += count;
    }
  }

  /** Makes room for a block of the remaining bytes, and returns how many of them it holds. */
  private int block(long bytes) {
    int needed = (int) Math.min(BLOCK, bytes);
    if (block.length < needed) {
      block = new byte[needed];
    }
    return needed;
  }
}
