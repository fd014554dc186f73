package io.guilomo.config;

import io.guilomo.model.ConstantName;

/**
 * How work is distributed; {@code guilomo.cluster}.
 *
 * @param workers 0: as many as Spark is asked to run tasks concurrently
 * @param averagingFrequency steps of each worker between two averaging rounds
 * @param device where workers compute
 * @param threadsPerWorker 0: the worker's share of the machine's processors
 * @param roundTimeoutSeconds maximum duration of an averaging round, not counting what it waits for
 *     others; 0: no limit
 */
public record ClusterConfig(
    int workers,
    int averagingFrequency,
    Device device,
    int threadsPerWorker,
    long roundTimeoutSeconds) {

  /** Where a worker computes. */
  public enum Device {
    /** On a GPU if there is one. */
    AUTO,
    CPU,
    GPU;

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  static ClusterConfig of(ConfigSection section) {
    return new ClusterConfig(
        section.whole("workers", 0),
        section.whole("averaging-frequency", 1),
        section.oneOf("device", Device.class),
        section.whole("threads-per-worker", 0),
        section.whole("round-timeout-seconds", 0L));
  }
}
