package io.guilomo.spark.compare;

import java.util.Map;

/**
 * What a trial came to with its strategy's learning rate.
 *
 * @param run that was evaluated
 * @param parameters of its plan
 * @param rate learning rate of the fine-tuning
 * @param metrics on the test records
 * @param seconds of search, fine-tuning and evaluation
 * @param searchSeconds of the search alone; 0 without one
 * @param searchEpochs the same in epochs of the fine-tuning; {@code NaN} if that is not known
 */
record Outcome(
    Trial trial,
    String run,
    long parameters,
    double rate,
    Validated validated,
    Map<String, Double> metrics,
    double seconds,
    double searchSeconds,
    double searchEpochs) {}
