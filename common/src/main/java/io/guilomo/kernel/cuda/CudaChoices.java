package io.guilomo.kernel.cuda;

import io.guilomo.kernel.ExpertChoice;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * Pools memory for choices of experts: batches differ in length, and allocating or freeing memory
 * of a card waits for the card, which must not happen in every pass. Returned memory is reused in
 * stream order.
 */
final class CudaChoices {
  private static final int SMALLEST = 256;

  private final CudaStream stream;
  private final Map<Integer, ArrayDeque<Long>> free = new HashMap<>();

  /**
   * Chosen experts on a card.
   *
   * @param address of memory for at least {@code length} integers
   */
  record Choice(CudaStream stream, long address, int length) implements ExpertChoice {

    @Override
    public int[] toArray() {
      return stream.readInts(address, length);
    }
  }

  CudaChoices(CudaStream stream) {
    this.stream = stream;
  }

  synchronized Choice borrow(int length) {
    int capacity = capacity(length);
    ArrayDeque<Long> addresses = free.get(capacity);
    long address =
        addresses == null || addresses.isEmpty()
            ? stream.device().allocate((long) capacity * Integer.BYTES)
            : addresses.pop();
    return new Choice(stream, address, length);
  }

  synchronized void giveBack(Choice choice) {
    free.computeIfAbsent(capacity(choice.length()), key -> new ArrayDeque<>())
        .push(choice.address());
  }

  /** The next power of two. */
  private static int capacity(int length) {
    return Math.max(SMALLEST, Integer.highestOneBit(Math.max(1, length - 1)) << 1);
  }
}
