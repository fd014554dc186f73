package io.guilomo.spark.checkpoint;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * All that a training needs to resume after an averaging round. Batches and dropout masks are
 * functions of seed, worker and step, so the step is their cursor and their random state.
 *
 * @param round averaging rounds that are done
 * @param step steps that each worker has done: position in data and learning-rate schedule, age of
 *     the moments
 * @param network digest of the network's definition: parameters of another one do not fit
 * @param parameters the averaged {@code [a | w]}; {@code w} alone in fine-tuning
 * @param updaterState the averaged moments of AdamW, of both in a search
 * @param progress what the job has gathered, as a JSON object
 * @param configuration of the run, as JSON
 */
public record Checkpoint(
    long round,
    long step,
    String network,
    INDArray parameters,
    INDArray updaterState,
    String progress,
    String configuration) {}
