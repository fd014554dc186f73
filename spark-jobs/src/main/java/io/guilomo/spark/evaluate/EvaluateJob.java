package io.guilomo.spark.evaluate;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.data.LabelSet;
import io.guilomo.data.Listing;
import io.guilomo.data.TextRecord;
import io.guilomo.inference.Answer;
import io.guilomo.metric.Scored;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.spark.data.ReadRecord;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.evaluate.Scores.ScoredRecord;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.progress.TaskProgress;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.session.JavaSerialization;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.RecordScoresTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;

/** Scores an adapter on records whose right answers are known, on all executors. */
public record EvaluateJob(JobContext context) {

  public static final String NAME = JobRun.EVALUATE;

  /** What an evaluation found. */
  public record Result(List<EvaluationsTable.Evaluation> evaluations) {}

  private GuilomoConfig config() {
    return context.config();
  }

  /**
   * Scores and writes the rows.
   *
   * @throws UserException for a configuration, adapter or data that cannot be used
   */
  public Result run() throws IOException {
    JavaSerialization.require(context.sparkContext().getConf());
    RecordedRun run = new RecordedRun(context, NAME, true);
    InferenceSetup setup = InferenceSetup.of(context, run.directory());
    run.backbone(setup.backbone());
    requireOutside(setup);
    return run.record(
        setup.description().plan().strategy(),
        setup.workers(),
        () -> {
          Preflight.start(context);
          new UncertaintyFit(context, setup).ensure();
          List<ScoredRecord> scored = score(setup, run);
          Scores scores =
              new Scores(
                  scored,
                  outside(setup),
                  setup.description(),
                  config().evaluate(),
                  config().run().seed());
          List<EvaluationsTable.Evaluation> evaluations = scores.evaluations();
          run.tables().replace(EvaluationsTable.INSTANCE, evaluations);
          run.tables().replace(RecordScoresTable.INSTANCE, scores.rows());
          run.backboneDigest(setup.description().backboneDigest());
          return new Result(evaluations);
        });
  }

  private List<ScoredRecord> score(InferenceSetup setup, RecordedRun run) throws IOException {
    RecordSource source = config().evaluate().requireData();
    JavaRDD<ReadRecord> records = setup.reader().read(source, true).repartition(setup.partitions());
    List<ScoredRecord> all;
    try (TaskProgress ignored =
        new TaskProgress(
            context.sparkContext(), context.progress(), "evaluating", setup.partitions())) {
      all = score(records, setup.ensemble(), config().evaluate().batchSize()).collect();
    }
    DataReport report =
        all.stream()
            .map(
                record ->
                    record.bad() == null ? DataReport.ofScored() : DataReport.ofBad(record.bad()))
            .reduce(DataReport.EMPTY, DataReport::merge);
    run.data(report);
    report.check(source.name(), config().data().maxBadFraction());
    if (report.validation() == 0) {
      throw new UserException(
          "Cannot evaluate on %s: none of its %d records can be scored%s",
          source.name(),
          report.read(),
          report.samples().isEmpty() ? "" : ", the first: " + report.samples().get(0));
    }
    context.message(
        String.format(
            "%d records: %d scored, %d bad%s",
            report.read(),
            report.validation(),
            report.bad(),
            report.samples().isEmpty() ? "" : ", the first: " + report.samples().get(0)));
    return all.stream()
        .filter(record -> record.bad() == null)
        .sorted(Comparator.comparingLong(ScoredRecord::position))
        .toList();
  }

  private static JavaRDD<ScoredRecord> score(
      JavaRDD<ReadRecord> records, Ensemble ensemble, int batchSize) {
    return records.mapPartitions(
        part -> ensemble.map(part, batchSize, (batch, model) -> score(batch, model)));
  }

  /**
   * Checks before anything is scored whether records from outside the domain can be told.
   *
   * @throws UserException if there are none, or no answer has a confidence
   */
  private void requireOutside(InferenceSetup setup) {
    String path = config().evaluate().uncertainty().outOfDomain();
    if (path.isBlank()) {
      return;
    }
    Task task = setup.description().task();
    if (!setup.ensemble().haveProbabilities(task)) {
      throw new UserException(
          "Cannot use guilomo.evaluate.out-of-domain for %s with guilomo.evaluate.methods = %s: only"
              + " classes and choices have confidences that tell records from each other",
          task, config().evaluate().methods());
    }
    RecordReader.require(context.spark(), RecordSource.path(path));
  }

  /** How confident the model is of records that are unlike those it was trained on. */
  private List<ScoredRecord> outside(InferenceSetup setup) throws IOException {
    String path = config().evaluate().uncertainty().outOfDomain();
    if (path.isBlank()) {
      return List.of();
    }
    Ensemble ensemble = setup.ensemble();
    int batchSize = config().evaluate().batchSize();
    List<ScoredRecord> all;
    try (TaskProgress ignored =
        new TaskProgress(
            context.sparkContext(), context.progress(), "evaluating", setup.partitions())) {
      all =
          setup
              .reader()
              .read(RecordSource.path(path), false)
              .repartition(setup.partitions())
              .mapPartitions(part -> ensemble.map(part, batchSize, EvaluateJob::outside))
              .collect();
    }
    if (all.isEmpty()) {
      throw new UserException(
          "Cannot tell records of %s from those of %s: none of them can be asked",
          path, config().evaluate().requireData().name());
    }
    context.message(String.format(Locale.ROOT, "%,d records out of domain", all.size()));
    return all.stream().sorted(Comparator.comparingLong(ScoredRecord::position)).toList();
  }

  private static List<ScoredRecord> outside(List<ReadRecord> batch, AdaptedModel model) {
    List<ScoredRecord> scored = new ArrayList<>();
    List<Answer> answers = model.answerAny(batch.stream().map(ReadRecord::record).toList());
    for (int i = 0; i < answers.size(); i++) {
      if (answers.get(i) != null && !answers.get(i).confidences().isEmpty()) {
        Map<String, Scored> scores = new HashMap<>();
        answers
            .get(i)
            .confidences()
            .forEach((method, confidence) -> scores.put(method, Scores.outside(confidence)));
        scored.add(new ScoredRecord(batch.get(i).position(), scores, Double.NaN, null));
      }
    }
    return scored;
  }

  private static List<ScoredRecord> score(List<ReadRecord> batch, AdaptedModel model) {
    Map<ReadRecord, String> refused = new IdentityHashMap<>();
    for (ReadRecord record : batch) {
      if (!record.isBad()) {
        model.refusal(record.record()).ifPresent(why -> refused.put(record, why));
      }
    }
    List<TextRecord> readable =
        batch.stream()
            .filter(record -> !record.isBad() && !refused.containsKey(record))
            .map(ReadRecord::record)
            .toList();
    Iterator<Answer> answers =
        readable.isEmpty() ? List.<Answer>of().iterator() : model.score(readable).iterator();
    List<ScoredRecord> scored = new ArrayList<>();
    for (ReadRecord record : batch) {
      scored.add(
          record.isBad() || refused.containsKey(record)
              ? bad(record, refused.getOrDefault(record, record.reason()))
              : scored(record, answers.next(), model.labels()));
    }
    return scored;
  }

  private static ScoredRecord scored(ReadRecord record, Answer answer, List<String> labels) {
    return answer.scores().isEmpty() && Double.isNaN(answer.responseLoss())
        ? bad(record, unscored(record.record(), labels))
        : new ScoredRecord(record.position(), answer.scores(), answer.responseLoss(), null);
  }

  private static String unscored(TextRecord record, List<String> labels) {
    return record instanceof TextRecord.Labelled labelled
        ? String.format(
            "label %s is unknown: the model learned %s",
            Listing.shortened(labelled.label()), LabelSet.named(labels))
        : "it has no right answer, or is longer than the model's positions";
  }

  private static ScoredRecord bad(ReadRecord record, String why) {
    return new ScoredRecord(record.position(), Map.of(), Double.NaN, record.bad(why));
  }
}
