package io.guilomo.spark.ml;

import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.search.AllocateJob;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.types.StructType;

/**
 * Learns to classify texts or pairs of texts: makes an allocation plan, unless it is given one, and
 * trains the model that the plan describes. The jobs {@code allocate} and {@code finetune} do it,
 * in the session of the data, and leave the run's files and tables in {@code outputDir}.
 *
 * <pre>{@code
 * Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {
 *     new StringIndexer().setInputCol("category").setOutputCol("label"),
 *     new GuilomoClassifier().setModelPath("/models/all-MiniLM-L6-v2").setTextCol("sentence")
 *         .setOutputDir("/runs").setEpochs(4)});
 * PipelineModel model = pipeline.fit(train);
 * }</pre>
 */
public final class GuilomoClassifier
    extends TextEstimator<GuilomoClassifier, GuilomoClassificationModel>
    implements PredictionParams<GuilomoClassifier> {

  private static final long serialVersionUID = 1;

  private final PredictionParams.Declared predicted;
  private final Param<String> plan;
  private final IntParam epochs;
  private final DoubleParam learningRate;

  public GuilomoClassifier() {
    this(Identifiable$.MODULE$.randomUID("guilomo"));
  }

  /**
   * @param uid another for every estimator; the names of its runs begin with it
   */
  public GuilomoClassifier(String uid) {
    super(uid);
    this.predicted = new PredictionParams.Declared(this);
    this.plan =
        new Param<>(
            this,
            "plan",
            "plan to train: a plan.json, or a directory with rank.json and expert.json; without,"
                + " strategy makes one (key finetune.plan)");
    this.epochs =
        new IntParam(
            this,
            "epochs",
            "passes of the fine-tuning over the training records (key finetune.epochs)",
            ParamValidators.gt(0));
    this.learningRate =
        new DoubleParam(
            this,
            "learningRate",
            "learning rate of the fine-tuning (key finetune.learning-rate)",
            ParamValidators.gt(0));
    setDefaults();
    setDefault(predictionCol(), "prediction");
    setDefault(probabilityCol(), "probability");
  }

  @Override
  public PredictionParams.Declared predicted() {
    return predicted;
  }

  public Param<String> plan() {
    return plan;
  }

  public IntParam epochs() {
    return epochs;
  }

  public DoubleParam learningRate() {
    return learningRate;
  }

  public GuilomoClassifier setPlan(String value) {
    return with(plan, value);
  }

  public GuilomoClassifier setEpochs(int value) {
    return with(epochs, value);
  }

  public GuilomoClassifier setLearningRate(double value) {
    return with(learningRate, value);
  }

  /**
   * Searches and trains.
   *
   * @throws io.guilomo.model.UserException for parameters, a model or data that cannot be used
   */
  @Override
  public GuilomoClassificationModel fit(Dataset<?> data) {
    transformSchema(data.schema());
    Optional<String> given = Columns.given(this, plan);
    List<String> keys = new ArrayList<>();
    given.ifPresent(path -> keys.add("finetune.plan=" + path));
    Training.add(keys, this, epochs, "finetune.epochs");
    Training.add(keys, this, learningRate, "finetune.learning-rate");
    FinetuneJob.Result trained =
        Training.run(
            this,
            data,
            keys,
            context -> {
              if (given.isEmpty()) {
                new AllocateJob(context, false).run();
              }
              return new FinetuneJob(context, true).run();
            });
    GuilomoClassificationModel model = new GuilomoClassificationModel(uid(), trained.adapter());
    model.setParent(this);
    return copyValues(model, extractParamMap());
  }

  @Override
  public StructType transformSchema(StructType schema) {
    return Columns.predicted(this, super.transformSchema(schema), List.of());
  }

  /** Reads what {@link #write} has written. */
  public static MLReader<GuilomoClassifier> read() {
    return new DefaultParamsReader<>();
  }

  /** Reads what {@link #save} has written. */
  public static GuilomoClassifier load(String path) {
    return read().load(path);
  }
}
