package io.guilomo.spark.ml;

import org.apache.spark.sql.SparkSessionExtensions;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * What {@code spark.sql.extensions=io.guilomo.spark.ml.GuilomoExtensions} adds to a session: the
 * SQL functions {@code guilomo_predict} and {@code guilomo_probabilities}, and the operator that
 * scores their texts in batches.
 */
public final class GuilomoExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    extensions.injectFunction(ScoringFunction.PREDICT.described());
    extensions.injectFunction(ScoringFunction.PROBABILITIES.described());
    extensions.injectPostHocResolutionRule(session -> new ExtractScoring());
    extensions.injectOptimizerRule(session -> new PruneScoring());
    extensions.injectPlannerStrategy(session -> new ScoreTextsStrategy());
    return BoxedUnit.UNIT;
  }
}
