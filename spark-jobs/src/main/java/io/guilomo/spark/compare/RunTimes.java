package io.guilomo.spark.compare;

import io.guilomo.config.FinetuneConfig;
import io.guilomo.spark.finetune.FinetuneJob;
import java.util.Map;

/**
 * How long the jobs of a run took.
 *
 * @param seconds from start to end by the name of the job; of a job that was resumed, its last
 *     attempt
 * @param steps of the fine-tuning, of each worker
 * @param shard training records of each worker; {@code NaN} if the run did not fine-tune
 */
record RunTimes(Map<String, Double> seconds, long steps, double shard) {

  static final RunTimes NONE = new RunTimes(Map.of(), 0, Double.NaN);

  /** One job; 0 if the run has none of this name. */
  double of(String job) {
    return seconds.getOrDefault(job, 0.0);
  }

  /**
   * One pass of the fine-tuning over its training records, its share of loading and validating
   * included; {@code NaN} if it is not known.
   */
  double epoch(FinetuneConfig config) {
    double perStep = (double) config.batchSize() * config.accumulationSteps();
    double epochs = steps * perStep / shard;
    return epochs > 0 ? of(FinetuneJob.NAME) / epochs : Double.NaN;
  }
}
