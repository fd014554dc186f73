package io.guilomo.kernel.cuda;

import io.guilomo.kernel.ExpertChoice;

/** Chosen experts on a card. */
final class CudaChoice implements ExpertChoice {
  private final CudaStream stream;
  private final long address;
  private final int length;

  /**
   * @param address of memory for at least {@code length} integers
   */
  CudaChoice(CudaStream stream, long address, int length) {
    this.stream = stream;
    this.address = address;
    this.length = length;
  }

  long address() {
    return address;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public int[] toArray() {
    return stream.readInts(address, length);
  }
}
