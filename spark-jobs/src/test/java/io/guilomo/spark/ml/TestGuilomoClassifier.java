package io.guilomo.spark.ml;

import static io.guilomo.spark.ml.SmallClassifier.rows;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.IndexToString;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestGuilomoClassifier {

  private static SmallClassifier small;

  @TempDir private Path directory;

  @BeforeAll
  static void model() throws IOException {
    small = SmallClassifier.shared();
  }

  @Test
  void learnsWhatTheMetadataCallTheClasses() throws IOException {
    Dataset<Row> scored = small.trained().transform(rows(60, 2)).cache();
    assertThat(accuracy(scored)).isGreaterThan(0.8);
    for (Row row : scored.collectAsList()) {
      Vector probability = row.getAs("probability");
      assertThat(probability.size()).isEqualTo(3);
      assertThat(row.<Double>getAs("prediction")).isEqualTo((double) probability.argmax());
      double sum = 0;
      for (double p : probability.toArray()) {
        sum += p;
      }
      assertThat(sum).isCloseTo(1, within(1e-6));
    }
    Dataset<Row> named =
        new IndexToString().setInputCol("prediction").setOutputCol("named").transform(scored);
    assertThat(named.filter("named = kind").count())
        .isEqualTo(scored.filter("prediction = label").count());
    scored.unpersist();
    try (Stream<Path> left = Files.list(small.output().resolve("fit"))) {
      assertThat(left).as("the rows it was given").isEmpty();
    }
  }

  @Test
  void aSavedPipelinePredictsTheSameWithoutItsRun() throws IOException {
    PipelineModel fitted =
        new Pipeline()
            .setStages(
                new PipelineStage[] {
                  SmallClassifier.indexer(),
                  small
                      .estimator()
                      .setEpochs(1)
                      .setOutputDir(directory.resolve("output").toString())
                })
            .fit(rows(36, 3));
    List<Row> before = predictions(fitted, rows(20, 4));
    String saved = directory.resolve("saved").toString();
    fitted.write().save(saved);
    deleteTree(directory.resolve("output"));
    PipelineModel loaded = PipelineModel.load(saved);
    assertThat(predictions(loaded, rows(20, 4))).isEqualTo(before);
    // What it reads from is what this deletes first.
    loaded.write().overwrite().save(saved);
    assertThat(predictions(PipelineModel.load(saved), rows(20, 4))).isEqualTo(before);
  }

  @Test
  void isIndifferentToWhatAnotherCallLeftAndToTheDataOfTheSettings() throws IOException {
    Path output = directory.resolve("output");
    Path left = Files.createDirectories(output.resolve("fit/again"));
    Files.createFile(left.resolve("part"));
    GuilomoClassifier estimator = small.estimator().setEpochs(1).setOutputDir(output.toString());
    List<String> settings = new ArrayList<>(List.of(estimator.getOrDefault(estimator.settings())));
    settings.addAll(List.of("run.id=again", "data.table=nowhere", "data.columns.sentence=body"));
    estimator.setSettings(settings.toArray(String[]::new));
    Dataset<Row> data = rows(36, 10);
    GuilomoClassificationModel model =
        estimator.fit(SmallClassifier.indexer().fit(data).transform(data));
    assertThat(Path.of(model.adapter())).isDirectory().hasParentRaw(output.resolve("runs/again"));
    try (Stream<Path> now = Files.list(output.resolve("fit"))) {
      assertThat(now).containsExactly(left);
    }
  }

  @Test
  void crossValidationChoosesByTheEvaluator() {
    GuilomoClassifier estimator = small.estimator().setEpochs(3);
    ParamMap[] values =
        new ParamGridBuilder().addGrid(estimator.learningRate(), new double[] {1e-7, 0.02}).build();
    CrossValidatorModel model =
        new CrossValidator()
            .setEstimator(estimator)
            .setEvaluator(new MulticlassClassificationEvaluator().setMetricName("logLoss"))
            .setEstimatorParamMaps(values)
            .setNumFolds(2)
            .setSeed(5)
            .fit(SmallClassifier.indexer().fit(rows(48, 5)).transform(rows(48, 5)));
    assertThat(model.avgMetrics()).hasSize(2);
    assertThat(model.avgMetrics()[1]).isLessThan(model.avgMetrics()[0]);
    assertThat(model.bestModel()).isInstanceOf(GuilomoClassificationModel.class);
    assertThat(model.bestModel().parent().extractParamMap().apply(estimator.learningRate()))
        .isEqualTo(0.02);
  }

  @Test
  void trainsAPlanThatAnAllocatorSearchedFor() throws IOException {
    Dataset<Row> data = SmallClassifier.indexer().fit(rows(36, 6)).transform(rows(36, 6));
    GuilomoClassifier estimator = small.estimator();
    GuilomoAllocator allocator =
        new GuilomoAllocator()
            .setModelPath(estimator.getOrDefault(estimator.modelPath()))
            .setOutputDir(small.output().toString())
            .setMaxExperts(3)
            .setMaxRank(2)
            .setSearchEpochs(0.5)
            .setBatchSize(12)
            .setSettings(estimator.getOrDefault(estimator.settings()));
    String unfitted = directory.resolve("allocator").toString();
    allocator.save(unfitted);
    GuilomoAllocationModel found = GuilomoAllocator.load(unfitted).fit(data);
    assertThat(found.transform(data).schema()).isEqualTo(data.schema());
    assertThat(found.plan().columns()).startsWith("strategy", "seed", "layer", "module");
    assertThat(found.plan().filter("strategy = 'guilomo' AND rank BETWEEN 1 AND 2").count())
        .isEqualTo(found.plan().count())
        .isPositive();
    String saved = directory.resolve("plan").toString();
    found.save(saved);
    assertThat(GuilomoAllocationModel.load(saved).json()).isEqualTo(found.json());
    GuilomoClassificationModel model =
        estimator.setPlan(saved + "/" + GuilomoAllocationModel.PLAN).setEpochs(1).fit(data);
    Path run = Path.of(model.adapter()).getParent();
    assertThat(run.getFileName().toString()).startsWith(estimator.uid() + "-");
    assertThat(run.resolve("plan.json")).content().isEqualTo(found.json());
  }

  @Test
  void rowsWithoutATextGetNulls() {
    Dataset<Row> data =
        rows(2, 7).withColumn("text", lit(null).cast("string")).unionAll(rows(1, 7));
    GuilomoClassificationModel model =
        (GuilomoClassificationModel) small.trained().stages()[1].copy(ParamMap.empty());
    Dataset<Row> scored = model.setProbabilityCol("").transform(data);
    assertThat(scored.columns()).containsExactly("id", "text", "kind", "prediction");
    assertThat(scored.filter("text IS NULL AND prediction IS NULL").count()).isEqualTo(2);
    assertThat(scored.filter("prediction IS NOT NULL").count()).isEqualTo(1);
    assertThat(model.labels()).containsExactly("animal", "plant", "stone");
  }

  @Test
  void saysWhatCannotBeLearned() {
    GuilomoClassifier estimator = small.estimator();
    Dataset<Row> data = rows(6, 8).withColumn("label", col("id"));
    refused(
        () -> estimator.fit(rows(6, 8)),
        "Cannot read column label: the columns are id, text, kind");
    refused(
        () -> estimator.copy(new ParamMap().put(estimator.labelCol(), "kind")).fit(data),
        "Cannot learn the classes in column kind, which is STRING: expected numbers from 0, as"
            + " StringIndexer makes them of texts");
    refused(
        () -> estimator.copy(new ParamMap().put(estimator.textCol(), "id")).fit(data),
        "Cannot read texts from column id, which is INT: expected a string");
    refused(
        () -> estimator.fit(data.withColumn("Prediction", lit(1))),
        "Cannot add column prediction: the data already has a column of that name; set"
            + " predictionCol to another name");
    refused(
        () -> estimator.fit(data.withColumn("label", col("id").divide(2))),
        "Cannot learn the classes in column label: 3 rows have no whole number there; fill or drop"
            + " them");
    refused(
        () -> estimator.fit(data.withColumn("label", col("id").minus(1))),
        "Cannot learn the classes in column label: they go from -1 to 4, expected 0 to 9999");
    refused(
        () -> estimator.fit(data.limit(0)),
        "Cannot learn from an empty data set: give fit at least one row of each class");
    refused(
        () -> estimator.fit(data.withColumn("label", lit(0))),
        "Cannot learn the classes in column label: 0; expected two or more with different names");
    Dataset<Row> spaced =
        data.drop("label").withColumn("kind", when(col("id").lt(3), "stone").otherwise("stone "));
    refused(
        () -> estimator.fit(SmallClassifier.indexer().fit(spaced).transform(spaced)),
        "Cannot learn the classes in column label: stone, stone; expected two or more with"
            + " different names");
    refused(
        () ->
            estimator
                .copy(new ParamMap().put(estimator.settings(), new String[] {"finetune.epoch=1"}))
                .fit(data),
        "Cannot use configuration key guilomo.finetune.epoch: unknown; did you mean"
            + " guilomo.finetune.epochs?");
  }

  @Test
  void everyParameterIsDocumented() {
    for (Transformer one : List.<Transformer>of(new GuilomoClassificationModel("m", "a"))) {
      assertThat(one.params()).hasSize(6).allMatch(param -> param.doc().length() > 15);
    }
    Param<?>[] params = new GuilomoClassifier().params();
    assertThat(params).hasSize(18).allMatch(param -> param.doc().length() > 15);
    assertThat(new GuilomoClassifier().explainParams()).contains("textCol", "(default: text)");
  }

  private static void refused(Runnable what, String message) {
    assertThatThrownBy(what::run).isInstanceOf(UserException.class).hasMessage(message);
  }

  private static double accuracy(Dataset<Row> scored) {
    return new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(scored);
  }

  private static List<Row> predictions(PipelineModel model, Dataset<Row> data) {
    return model
        .transform(data)
        .select("id", "prediction", "probability")
        .orderBy("id")
        .collectAsList();
  }

  private static void deleteTree(Path tree) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path file : files.sorted((one, other) -> other.compareTo(one)).toList()) {
        Files.delete(file);
      }
    }
  }
}
