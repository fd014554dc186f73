package io.guilomo.spark.ml;

import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.types.StructType;

/**
 * What learns from texts and their classes, and consists of its parameters alone.
 *
 * @param <E> the estimator itself, which its setters return
 * @param <M> what it learns
 */
public abstract class TextEstimator<E extends TextEstimator<E, M>, M extends Model<M>>
    extends Estimator<M> implements TrainingParams<E>, MLWritable {

  private static final long serialVersionUID = 1;

  private final String uid;
  private final ScoringParams.Declared scoring;
  private final TrainingParams.Declared training;

  TextEstimator(String uid) {
    this.uid = uid;
    this.scoring = new ScoringParams.Declared(this);
    this.training = new TrainingParams.Declared(this);
  }

  /** Sets the defaults, which Spark accepts once all parameters are there. */
  final void setDefaults() {
    setDefault(textCol(), "text");
    setDefault(labelCol(), "label");
  }

  @Override
  public final String uid() {
    return uid;
  }

  @Override
  public final ScoringParams.Declared scoring() {
    return scoring;
  }

  @Override
  public final TrainingParams.Declared training() {
    return training;
  }

  /** Refuses data without the columns of texts and classes. */
  @Override
  public StructType transformSchema(StructType schema) {
    Columns.requireTexts(this, schema);
    Columns.requireClasses(this, schema);
    return schema;
  }

  @Override
  public final E copy(ParamMap extra) {
    return defaultCopy(extra);
  }

  @Override
  public final MLWriter write() {
    return new DefaultParamsWriter(this);
  }
}
