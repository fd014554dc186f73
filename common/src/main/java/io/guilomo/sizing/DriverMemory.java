package io.guilomo.sizing;

/**
 * Memory of the process that averages what workers have trained, in bytes.
 *
 * @param averaged parameters and updater state, and their mean while it is formed
 * @param collected those of all workers
 * @param heap of the Java heap: parameters and updater state as they are sent and received
 * @param results of one averaging round as Spark counts them against {@code
 *     spark.driver.maxResultSize}
 */
public record DriverMemory(long averaged, long collected, long heap, long results) {

  /** Bytes outside the Java heap. */
  public long offHeap() {
    return averaged + collected;
  }
}
