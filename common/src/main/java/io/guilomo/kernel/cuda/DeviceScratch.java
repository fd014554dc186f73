package io.guilomo.kernel.cuda;

/**
 * Memory for intermediate results of one operation; it grows to the largest size requested so far.
 * Used under the stream's lock.
 */
final class DeviceScratch {

  /** Intermediate results that exist at the same time. */
  enum Use {
    HIGH,
    LOW,
    PARTIAL_SUMS,
    DELTA,
    HITS,
    STAGING
  }

  private final CudaStream stream;
  private final long[] addresses = new long[Use.values().length];
  private final long[] sizes = new long[Use.values().length];

  DeviceScratch(CudaStream stream) {
    this.stream = stream;
  }

  /** The address of at least {@code bytes} bytes. */
  long of(Use use, long bytes) {
    int slot = use.ordinal();
    if (sizes[slot] < bytes) {
      if (sizes[slot] > 0) {
        stream.device().free(addresses[slot]);
      }
      sizes[slot] = 0;
      addresses[slot] = stream.device().allocate(bytes);
      sizes[slot] = bytes;
    }
    return addresses[slot];
  }
}
