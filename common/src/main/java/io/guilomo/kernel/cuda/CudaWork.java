package io.guilomo.kernel.cuda;

/**
 * Work submitted to a card so far.
 *
 * @param launches launches of kernels of this project
 * @param waits number of times the host waited for the card
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
