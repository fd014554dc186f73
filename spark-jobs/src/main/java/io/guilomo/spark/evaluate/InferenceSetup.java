package io.guilomo.spark.evaluate;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.EvaluateConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.RecordParser;
import io.guilomo.inference.Predictor;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.JobData;
import io.guilomo.spark.run.RunDirectory;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;

/**
 * What jobs that ask a model have in common.
 *
 * @param source the model
 * @param description what its adapter is for
 * @param parser of the records
 * @param reader of the records
 * @param workers that compute concurrently
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

  static InferenceSetup of(JobContext context, RunDirectory directory) throws IOException {
    GuilomoConfig config = context.config();
    Workers workers = Workers.of(config, context.sparkContext());
    EvaluateConfig evaluate = config.evaluate();
    String adapter =
        evaluate.adapter().isBlank() ? directory.bestAdapter().toString() : evaluate.adapter();
    AdaptedModel.Source source =
        new AdaptedModel.Source(
            adapter,
            config.model().path(),
            new Predictor.Options(evaluate.methods(), config.generation(), config.run().seed()),
            workers.settings(context.sparkContext()));
    AdapterDescription description = source.description();
    RecordParser parser = new RecordParser(description.task(), config.data().columns());
    return new InferenceSetup(
        source,
        description,
        parser,
        JobData.reader(context.spark(), config.data(), parser),
        workers.count(),
        PARTITIONS_PER_WORKER * workers.count());
  }
}
