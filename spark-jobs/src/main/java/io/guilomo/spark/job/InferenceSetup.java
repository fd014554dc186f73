package io.guilomo.spark.job;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.EvaluateConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.RecordParser;
import io.guilomo.inference.Predictor;
import io.guilomo.spark.data.DataFormat;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.inference.AdaptedModel;
import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/**
 * What jobs that ask a model have in common.
 *
 * @param source the model
 * @param description what its adapter is for
 * @param parser of the records
 * @param reader of the records
 * @param workers that compute at a time
 * @param partitions of the records: some for each worker, so that progress is seen
 */
record InferenceSetup(
    AdaptedModel.Source source,
    AdapterDescription description,
    RecordParser parser,
    RecordReader reader,
    int workers,
    int partitions) {

  private static final int PARTITIONS_PER_WORKER = 4;

  static InferenceSetup of(SparkSession spark, GuilomoConfig config, RunDirectory directory)
      throws IOException {
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    Workers workers = Workers.of(config, spark.sparkContext());
    EvaluateConfig evaluate = config.evaluate();
    String adapter =
        evaluate.adapter().isBlank()
            ? AdapterKeeper.best(directory).toString()
            : evaluate.adapter();
    AdaptedModel.Source source =
        new AdaptedModel.Source(
            adapter,
            config.model().path(),
            new Predictor.Options(evaluate.methods(), config.generation(), config.run().seed()),
            workers.settings(spark.sparkContext()));
    AdapterDescription description = source.description();
    RecordParser parser = new RecordParser(description.task(), config.data().columns());
    Optional<DataFormat> format =
        config.data().format().equals("auto")
            ? Optional.empty()
            : Optional.of(DataFormat.parse(config.data().format()));
    return new InferenceSetup(
        source,
        description,
        parser,
        new RecordReader(spark, parser, format),
        workers.count(),
        PARTITIONS_PER_WORKER * workers.count());
  }
}
