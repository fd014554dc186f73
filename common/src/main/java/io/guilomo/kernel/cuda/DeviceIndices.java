package io.guilomo.kernel.cuda;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Arrays of integers on a card, looked up by their contents: many kernels of a pass use the same
 * positions, starts and labels. They are stored in a ring buffer, whose oldest entries are
 * overwritten in stream order. Used under the stream's lock.
 */
final class DeviceIndices {
  private static final int CAPACITY = 4 << 20;

  private final CudaStream stream;
  private final Map<Content, Long> known = new HashMap<>();
  private final long ring;
  private int used;

  private record Content(int[] values, int hash) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Content that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  DeviceIndices(CudaStream stream) {
    this.stream = stream;
    this.ring = stream.device().allocate(CAPACITY * (long) Integer.BYTES);
  }

  /** The address of a copy, valid for kernels that are queued before the next call. */
  long of(int[] values) {
    Content content = new Content(values, Arrays.hashCode(values));
    Long address = known.get(content);
    return address == null ? copied(values, content.hash()) : address;
  }

  private long copied(int[] values, int hash) {
    // Align every array to vectors of four.
    int size = (values.length + 3) / 4 * 4;
    if (size > CAPACITY / 4) {
      throw new IllegalArgumentException(
          "Cannot use %d indices at once: %d fit".formatted(values.length, CAPACITY / 4));
    }
    if (used + size > CAPACITY) {
      known.clear();
      used = 0;
    }
    long address = ring + used * (long) Integer.BYTES;
    stream.write(values, address);
    used += size;
    known.put(new Content(values.clone(), hash), address);
    return address;
  }
}
