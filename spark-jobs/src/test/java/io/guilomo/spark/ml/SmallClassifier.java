package io.guilomo.spark.ml;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A tiny encoder that learns to tell texts of three kinds of words apart, trained once for all
 * tests of a JVM.
 */
final class SmallClassifier {

  private static final String[] KINDS = {"animal", "plant", "stone"};

  private static SmallClassifier shared;

  private final Path directory;
  private final Path model;
  private PipelineModel trained;

  private SmallClassifier() throws IOException {
    directory = Files.createTempDirectory("guilomo-ml");
    model =
        TinyModel.of(GoldenFiles.list("families", "bert_mlm").get(0), directory.resolve("model"));
  }

  static synchronized SmallClassifier shared() throws IOException {
    if (shared == null) {
      shared = new SmallClassifier();
    }
    return shared;
  }

  Path output() {
    return directory.resolve("output");
  }

  /** Texts of 3 to 5 words of one kind, and the name of the kind. */
  static Dataset<Row> rows(int count, long seed) {
    Random random = new Random(seed);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int kind = i % KINDS.length;
      List<String> words = new ArrayList<>();
      for (int w = 3 + random.nextInt(3); w > 0; w--) {
        words.add("w" + (4 + KINDS.length * random.nextInt(20) + kind));
      }
      rows.add(RowFactory.create(i, String.join(" ", words), KINDS[kind]));
    }
    StructType schema =
        new StructType()
            .add("id", DataTypes.IntegerType)
            .add("text", DataTypes.StringType)
            .add("kind", DataTypes.StringType);
    return session().createDataFrame(rows, schema).repartition(4);
  }

  static SparkSession session() {
    return SharedSparkSession.session();
  }

  /** One that makes a uniform plan, and trains it in a second. */
  GuilomoClassifier estimator() {
    return new GuilomoClassifier()
        .setModelPath(model.toString())
        .setOutputDir(output().toString())
        .setStrategy("uniform")
        .setMaxExperts(3)
        .setMaxRank(2)
        .setEpochs(6)
        .setBatchSize(12)
        .setLearningRate(0.02)
        .setSettings(
            "allocation.experts=2",
            "allocation.rank=2",
            "model.max-length=16",
            "finetune.warmup-steps=2",
            "finetune.validate-every-steps=30",
            "cluster.averaging-frequency=30",
            "search.warmup-steps=1",
            "checkpoint.every-rounds=0",
            "cluster.workers=1",
            "evaluate.batch-size=8");
  }

  static StringIndexer indexer() {
    return new StringIndexer()
        .setInputCol("kind")
        .setOutputCol("label")
        .setStringOrderType("alphabetAsc");
  }

  /** The kinds' indexer and the classifier, trained. */
  synchronized PipelineModel trained() {
    if (trained == null) {
      trained =
          new Pipeline().setStages(new PipelineStage[] {indexer(), estimator()}).fit(rows(120, 1));
    }
    return trained;
  }

  /** The directory of the trained adapter. */
  String adapter() {
    return ((GuilomoClassificationModel) trained().stages()[1]).adapter();
  }
}
