package io.guilomo.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.PromptTemplate;
import io.guilomo.family.llama.Decoder;
import io.guilomo.inference.Answer;
import io.guilomo.metric.Scored;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Task;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.evaluate.Scores.ScoredRecord;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TestScores {

  private static final Scored RIGHT = new Scored(0, 0, 0.5);
  private static final Scored WRONG = new Scored(1, 0, 1.5);
  private static final Scored SILENT = new Scored(1, Scored.UNANSWERED, Double.NaN);

  private static final List<Evaluation> CLASSES =
      evaluations(
          Task.CLASSIFICATION,
          new ScoredRecord(1, Map.of(Answer.CLASSIFICATION, RIGHT), Double.NaN, null),
          new ScoredRecord(2, Map.of(Answer.CLASSIFICATION, WRONG), Double.NaN, null));
  private static final List<Evaluation> RESPONSES =
      evaluations(
          Task.MULTIPLE_CHOICE,
          new ScoredRecord(1, Map.of(Answer.CHOICES, RIGHT, Answer.GENERATION, SILENT), 0.25, null),
          new ScoredRecord(2, Map.of(Answer.CHOICES, WRONG, Answer.GENERATION, RIGHT), 0.75, null),
          new ScoredRecord(3, Map.of(Answer.CHOICES, RIGHT), Double.NaN, null),
          new ScoredRecord(4, Map.of(Answer.CHOICES, RIGHT), Double.NaN, null));

  @Test
  void everyMetricIsOverTheRecordsThatHaveIt() {
    assertThat(CLASSES)
        .filteredOn(row -> List.of("accuracy", "loss").contains(row.metric()))
        .extracting(Evaluation::value)
        .containsExactly(0.5, 1.0);
    assertThat(RESPONSES).extracting(Evaluation::value).containsExactly(0.75, 0.5, 0.5, 0.5);
    assertThat(RESPONSES).extracting(Evaluation::examples).containsExactly(4L, 2L, 2L, 2L);
  }

  /** With other settings: with uncertainty, and with records out of the domain. */
  private static final List<Evaluation> WITH_UNCERTAINTY =
      evaluations(
          Task.CLASSIFICATION,
          List.of(withUncertainty(1, Scores.outside(0.6), Scores.outside(0.5))),
          List.of("evaluate.uncertainty=ensemble"),
          withUncertainty(1, new Scored(0, 0, 0.2, 0.8), new Scored(0, 0, 0.1, 0.9)),
          withUncertainty(2, new Scored(1, 0, 1, 0.7), new Scored(1, 1, 0.5, 0.6)));

  private static ScoredRecord withUncertainty(long position, Scored alone, Scored together) {
    return new ScoredRecord(
        position, Map.of(Answer.CLASSIFICATION, alone, "ensemble", together), Double.NaN, null);
  }

  @Test
  void uncertaintyIsComparedWithTheFirstAdapterAlone() {
    Map<String, Double> values = new HashMap<>();
    WITH_UNCERTAINTY.forEach(row -> values.put(row.metric(), row.value()));
    assertThat(values)
        .containsEntry("accuracy", 1.0)
        .containsEntry("single_accuracy", 0.5)
        .containsEntry("difference_accuracy", 0.5)
        .containsEntry("out-of-domain-auroc", 1.0)
        .hasSize(27);
    assertThat(values.get("difference_loss")).isCloseTo(0.3 - 0.6, within(1e-12));
    assertThat(values.get("calibration-error")).isCloseTo(0.25, within(1e-12));
  }

  @Test
  void metricsHaveTheDocumentedNames() throws IOException {
    String documented = Files.readString(Path.of("../deploy/sql/README.md"));
    String names =
        documented.substring(
            documented.indexOf("Metrics of a classification:"),
            documented.indexOf("## `record_scores`"));
    assertThat(
            Pattern.compile("`([^`]+)`")
                .matcher(names)
                .results()
                .map(found -> found.group(1))
                .filter(name -> !name.endsWith("_") && !name.startsWith("evaluate."))
                .distinct())
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(CLASSES, RESPONSES, WITH_UNCERTAINTY)
                .flatMap(List::stream)
                .map(Evaluation::metric)
                .filter(EvaluationsTable::isOfAnswers)
                .distinct()
                .toList());
  }

  private static List<Evaluation> evaluations(Task task, ScoredRecord... records) {
    return evaluations(task, List.of(), List.of(), records);
  }

  private static List<Evaluation> evaluations(
      Task task, List<ScoredRecord> outside, List<String> settings, ScoredRecord... records) {
    AllocationPlan plan =
        new UniformAllocation(2, 2, RoutingMethod.topK(2), 16)
            .plan(List.of(new LinearModule(0, "query", 4, 4)));
    boolean classifies = task == Task.CLASSIFICATION;
    AdapterDescription description =
        new AdapterDescription(
            plan,
            "m",
            "digest",
            Decoder.PATHS,
            task,
            classifies ? List.of("no", "yes") : List.of(),
            Pooling.MEAN,
            16,
            classifies ? null : PromptTemplate.alpaca());
    return new Scores(
            List.of(records),
            outside,
            description,
            GuilomoConfig.load(null, List.of("evaluate.bootstrap-samples=10"))
                .with(settings)
                .evaluate(),
            1)
        .evaluations();
  }
}
