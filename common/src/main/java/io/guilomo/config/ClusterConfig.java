package io.guilomo.config;

/**
 * How work is spread; {@code guilomo.cluster}.
 *
 * @param workers 0: as many as Spark's default parallelism
 * @param averagingFrequency steps of a worker between two averagings
 * @param threadsPerWorker 0: its share of the machine's processors
 * @param roundTimeoutSeconds an averaging round may take; 0: any time
 */
public record ClusterConfig(
    int workers, int averagingFrequency, int threadsPerWorker, long roundTimeoutSeconds) {

  static ClusterConfig of(Section section) {
    return new ClusterConfig(
        section.whole("workers", 0),
        section.whole("averaging-frequency", 1),
        section.whole("threads-per-worker", 0),
        section.whole("round-timeout-seconds", 0L));
  }
}
