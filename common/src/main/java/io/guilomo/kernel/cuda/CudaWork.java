package io.guilomo.kernel.cuda;

/**
 * What was asked of a card so far.
 *
 * @param launches kernels of this project
 * @param waits times that the host waited for the card
 * @param bytesToDevice copied to the card
 * @param bytesToHost copied from it
 */
record CudaWork(long launches, long waits, long bytesToDevice, long bytesToHost) {

  CudaWork since(CudaWork before) {
    return new CudaWork(
        launches - before.launches,
        waits - before.waits,
        bytesToDevice - before.bytesToDevice,
        bytesToHost - before.bytesToHost);
  }
}
