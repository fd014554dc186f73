package io.guilomo.kernel.cuda;

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

  CudaChoices(CudaStream stream) {
    this.stream = stream;
  }

  synchronized CudaChoice borrow(int length) {
    int capacity = capacity(length);
    ArrayDeque<Long> addresses = free.get(capacity);
    long address =
        addresses == null || addresses.isEmpty()
            ? stream.device().allocate((long) capacity * Integer.BYTES)
            : addresses.pop();
    return new CudaChoice(stream, address, length);
  }

  synchronized void giveBack(CudaChoice choice) {
    free.computeIfAbsent(capacity(choice.length()), key -> new ArrayDeque<>())
        .push(choice.address());
  }

  /** The next power of two. */
  private static int capacity(int length) {
    return Math.max(SMALLEST, Integer.highestOneBit(Math.max(1, length - 1)) << 1);
  }
}
