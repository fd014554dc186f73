package io.guilomo.spark.evaluate;

import io.guilomo.data.DataReport;
import io.guilomo.metric.Scored;
import java.io.Serializable;
import java.util.Map;

/**
 * How one record was answered.
 *
 * @param position in its file, from 1
 * @param scores by method
 * @param responseLoss {@code −log p} a token of the right response; {@code NaN} where it is not
 *     known
 * @param bad why it could not be asked; else null
 */
public record ScoredRecord(
    long position, Map<String, Scored> scores, double responseLoss, DataReport.BadRecord bad)
    implements Serializable {}
