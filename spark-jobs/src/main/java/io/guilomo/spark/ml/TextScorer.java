package io.guilomo.spark.ml;

import io.guilomo.data.TextRecord;
import io.guilomo.inference.Answer;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.runtime.AbstractFunction2;

/**
 * The function behind the SQL functions: of a text, and of a second one or null, the label and the
 * probabilities of all labels; null if there is no text. Equal functions score alike, so that a
 * query which asks for both asks the model once.
 */
final class TextScorer extends AbstractFunction2<String, String, Row> implements Serializable {

  private static final long serialVersionUID = 1;

  static final String LABEL = "prediction";
  static final String PROBABILITIES = "probabilities";

  /** What it returns. */
  static final StructType TYPE =
      new StructType()
          .add(LABEL, DataTypes.StringType)
          .add(
              PROBABILITIES,
              DataTypes.createMapType(DataTypes.StringType, DataTypes.DoubleType, false));

  private final GuilomoModel model;

  TextScorer(GuilomoModel model) {
    this.model = model;
  }

  int batchSize() {
    return model.batchSize();
  }

  /** Scores texts together; a row for each, null where there is no text. */
  List<Row> score(List<TextRecord> texts) {
    return model.score(texts).stream().map(TextScorer::row).toList();
  }

  /** Scores one text alone, where a query calls the function in a place that has no batches. */
  @Override
  public Row apply(String first, String second) {
    return score(Collections.singletonList(GuilomoModel.text(first, second))).get(0);
  }

  private static Row row(Answer answer) {
    return answer == null ? null : RowFactory.create(answer.prediction(), answer.probabilities());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TextScorer scorer && scorer.model.equals(model);
  }

  @Override
  public int hashCode() {
    return model.hashCode();
  }
}
