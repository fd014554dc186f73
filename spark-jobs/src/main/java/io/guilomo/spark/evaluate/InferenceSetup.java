package io.guilomo.spark.evaluate;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.EvaluateConfig;
import io.guilomo.config.EvaluateConfig.Uncertainty;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.RecordParser;
import io.guilomo.family.Families;
import io.guilomo.inference.Answer;
import io.guilomo.inference.Predictor;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.JobData;
import io.guilomo.spark.run.RunDirectory;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * What jobs that ask a model have in common.
 *
 * @param ensemble the adapters that answer
 * @param description what they are for
 * @param backbone directory of the model that the first is for
 * @param parser of the records
 * @param reader of the records
 * @param workers that compute concurrently
 * @param partitions of the records: some for each worker, so that progress is seen
 */
record InferenceSetup(
    Ensemble ensemble,
    AdapterDescription description,
    String backbone,
    RecordParser parser,
    RecordReader reader,
    int workers,
    int partitions) {

  private static final int PARTITIONS_PER_WORKER = 4;

  static InferenceSetup of(JobContext context, RunDirectory directory) throws IOException {
    GuilomoConfig config = context.config();
    Workers workers = Workers.ofAnyNumber(config, context.sparkContext());
    EvaluateConfig evaluate = config.evaluate();
    List<String> adapters = adapters(evaluate, directory);
    AdaptedModel.Source source =
        AdaptedModel.Source.of(
            adapters.get(0),
            config.model().path(),
            new Predictor.Options(evaluate.methods(), config.generation(), config.run().seed()),
            workers.settings(context.sparkContext()));
    Ensemble ensemble = Ensemble.of(adapters, source, evaluate.uncertainty());
    if (evaluate.uncertainty().method() != Uncertainty.NONE) {
      context.message(
          "%s of %s"
              .formatted(
                  evaluate.uncertainty().method(),
                  adapters.size() == 1
                      ? adapters.get(0)
                      : adapters.size() + " adapters: " + String.join(", ", adapters)));
    }
    AdapterDescription description = source.description();
    String backbone = source.backbone(description);
    requireRoom(source.options(), description.task(), backbone, context.hadoop());
    RecordParser parser = new RecordParser(description.task(), config.data().columns());
    return new InferenceSetup(
        ensemble,
        description,
        backbone,
        parser,
        JobData.reader(context.spark(), config.data(), parser),
        workers.count(),
        PARTITIONS_PER_WORKER * workers.count());
  }

  /**
   * Checks that there is room for prompts, which are not answered where they are too long.
   *
   * @throws UserException if there is none for any
   */
  private static void requireRoom(
      Predictor.Options options, Task task, String backbone, Configuration conf)
      throws IOException {
    if (task == Task.CLASSIFICATION || !options.methods().contains(Answer.GENERATION)) {
      return;
    }
    int most = options.generation().maxNewTokens();
    int positions = Families.config(backbone, conf).maxPositions();
    if (most >= positions) {
      throw new UserException(
          "Cannot use guilomo.generation.max-new-tokens = %d: %s has %d positions, which leaves no"
              + " room for a prompt; set it to %d less the length of the longest prompt",
          most, backbone, positions, positions);
    }
  }

  /** Directories of the adapters that answer, the first first. */
  private static List<String> adapters(EvaluateConfig evaluate, RunDirectory directory)
      throws IOException {
    List<String> adapters = evaluate.uncertainty().adapters();
    if (adapters.isEmpty()) {
      adapters =
          evaluate.adapter().isBlank()
              ? directory.bestAdapters().stream().map(Path::toString).toList()
              : List.of(evaluate.adapter());
    }
    return evaluate.uncertainty().method().isMixture() ? adapters : adapters.subList(0, 1);
  }
}
