package io.guilomo.spark.evaluate;

import io.guilomo.data.TextRecord;
import io.guilomo.inference.Answer;
import io.guilomo.spark.data.ReadRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;

/** Answers records whose right answers are known, on the executors. */
public final class Scoring {

  private Scoring() {}

  /**
   * @param batchSize records that are run together
   */
  public static JavaRDD<ScoredRecord> score(
      JavaRDD<ReadRecord> records, AdaptedModel.Source source, int batchSize) {
    return records.mapPartitions(part -> score(part, source, batchSize));
  }

  private static Iterator<ScoredRecord> score(
      Iterator<ReadRecord> records, AdaptedModel.Source source, int batchSize) throws IOException {
    if (!records.hasNext()) {
      return List.<ScoredRecord>of().iterator();
    }
    AdaptedModel model = AdaptedModel.open(source);
    return new Batches<>(records, batchSize, batch -> score(batch, model), closing(model));
  }

  /** Closes at the end of the records, or of the task where that comes first. */
  static Runnable closing(AdaptedModel model) {
    boolean[] closed = new boolean[1];
    Runnable close =
        () -> {
          if (!closed[0]) {
            closed[0] = true;
            model.close();
          }
        };
    TaskContext.get()
        .addTaskCompletionListener(
            context -> {
              close.run();
            });
    return close;
  }

  private static List<ScoredRecord> score(List<ReadRecord> batch, AdaptedModel model) {
    List<TextRecord> readable =
        batch.stream().filter(record -> !record.isBad()).map(ReadRecord::record).toList();
    Iterator<Answer> answers =
        readable.isEmpty() ? List.<Answer>of().iterator() : model.answer(readable).iterator();
    List<ScoredRecord> scored = new ArrayList<>();
    for (ReadRecord record : batch) {
      scored.add(
          record.isBad()
              ? bad(record, record.reason())
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
        ? String.format("label %s is unknown: the model learned %s", labelled.label(), labels)
        : "it has no right answer, or is longer than the model's positions";
  }

  private static ScoredRecord bad(ReadRecord record, String why) {
    return new ScoredRecord(record.position(), Map.of(), Double.NaN, record.bad(why));
  }
}
