package io.guilomo.sizing;

/**
 * Memory of the process that averages what workers have trained, in bytes.
 *
 * @param offHeap outside the Java heap: parameters and updater state, and those of a checkpoint
 *     while it is read
 * @param heap of the Java heap: parameters and updater state as they are sent and received
 * @param results of one averaging round as Spark counts them against {@code
 *     spark.driver.maxResultSize}
 */
public record DriverMemory(long offHeap, long heap, long results) {}
