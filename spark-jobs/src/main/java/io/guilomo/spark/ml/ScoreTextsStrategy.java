package io.guilomo.spark.ml;

import java.util.List;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/** Plans {@link ScoreTexts}. */
final class ScoreTextsStrategy extends SparkStrategy {

  private static final long serialVersionUID = 1;

  @Override
  public Seq<SparkPlan> apply(LogicalPlan plan) {
    List<SparkPlan> planned =
        plan instanceof ScoreTexts scoring
            ? List.of(
                new ScoreTextsExec(
                    scoring.functions(), scoring.results(), planLater(scoring.child())))
            : List.of();
    return JavaConverters.asScalaBuffer(planned).toList();
  }
}
