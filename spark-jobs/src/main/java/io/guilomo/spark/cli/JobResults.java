package io.guilomo.spark.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.OutputConfig;
import io.guilomo.metric.Interval;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.bench.ScalingBench.Throughput;
import io.guilomo.spark.compare.CompareJob;
import io.guilomo.spark.compare.QuickstartJob;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.evaluate.PredictJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.finetune.FinetuneState;
import io.guilomo.spark.preflight.Check;
import io.guilomo.spark.preflight.Check.Status;
import io.guilomo.spark.report.Numbers;
import io.guilomo.spark.round.ValidationResult;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.search.SearchRun;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.ComparisonTable.Difference;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import java.io.PrintStream;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The results of the jobs as text for the terminal. */
final class JobResults {

  private JobResults() {}

  /** The plan and, for each search, how far it moved from its start and what it learned. */
  static String text(AllocateJob.Result result) {
    StringBuilder report = new StringBuilder(AllocationPlanPrinter.print(result.plan()));
    for (SearchRun.Outcome search : result.searches()) {
      report
          .append(
              result.searches().size() > 1 ? Numbers.format("seed %d: ", search.plan().seed()) : "")
          .append(moved(search.initial(), search.plan()))
          .append(learned(search.before(), search.after()));
    }
    if (result.searches().size() > 1) {
      report.append(agreement(result.searches()));
    }
    return report.toString();
  }

  /** How well the plans of several seeds agree. */
  private static String agreement(List<SearchRun.Outcome> searches) {
    List<ModulePlan> first = searches.get(0).plan().modules();
    int alike = 0;
    double spread = 0;
    for (int i = 0; i < first.size(); i++) {
      int module = i;
      IntSummaryStatistics experts =
          searches.stream()
              .mapToInt(search -> search.plan().modules().get(module).experts().size())
              .summaryStatistics();
      alike += experts.getMax() == experts.getMin() ? 1 : 0;
      spread += (double) (experts.getMax() - experts.getMin()) / first.size();
    }
    return Numbers.format(
        "the %d seeds agree on the number of experts of %d of %d modules; on average, the largest"
            + " and the smallest number of a module differ by %.1f\n",
        searches.size(), alike, first.size(), spread);
  }

  /** How many choices differ from those that the search started from. */
  private static String moved(AllocationPlan initial, AllocationPlan learned) {
    int modules = 0;
    int ranks = 0;
    int rankVectors = 0;
    for (int i = 0; i < learned.modules().size(); i++) {
      ModulePlan from = initial.modules().get(i);
      ModulePlan to = learned.modules().get(i);
      modules += from.experts().size() == to.experts().size() ? 0 : 1;
      List<Integer> before = from.candidateRanks();
      List<Integer> after = to.candidateRanks();
      for (int expert = 0; expert < after.size(); expert++) {
        ranks += before.get(expert).equals(after.get(expert)) ? 0 : 1;
      }
      rankVectors += after.size();
    }
    return Numbers.format(
        "the search changed the number of experts of %d of %d modules, and %d of %d ranks\n",
        modules, learned.modules().size(), ranks, rankVectors);
  }

  private static String learned(ValidationResult before, ValidationResult after) {
    return Numbers.format(
        "validation loss %.4f before, %.4f after; accuracy %.1f %% before, %.1f %% after (%,d labels)\n",
        before.loss(),
        after.loss(),
        100 * before.accuracy(),
        100 * after.accuracy(),
        after.labels());
  }

  static String text(FinetuneJob.Result result) {
    StringBuilder text =
        new StringBuilder(
            Numbers.format(
                "strategy %s: %,d trainable parameters\n",
                result.plan().strategy(), result.plan().parameters()));
    for (FinetuneJob.Member member : result.members()) {
      if (result.members().size() > 1) {
        text.append(Numbers.format("seed %d\n", member.seed()));
      }
      text.append(text(member));
    }
    return text.toString();
  }

  private static String text(FinetuneJob.Member member) {
    FinetuneState outcome = member.outcome();
    return Numbers.format(
        """
        validation loss %.4f before, %.4f at best (step %d of %d), %.4f at the end
        validation accuracy %.1f %% before, %.1f %% at best, %.1f %% at the end (%,d labels)
        %,d tokens in %.0f s, %.0f per second
        adapter in %s
        """,
        outcome.before().loss(),
        outcome.best().loss(),
        outcome.bestStep(),
        member.steps(),
        outcome.last().loss(),
        100 * outcome.before().accuracy(),
        100 * outcome.best().accuracy(),
        100 * outcome.last().accuracy(),
        outcome.last().labels(),
        outcome.tokens(),
        outcome.seconds(),
        outcome.tokens() / outcome.seconds(),
        member.adapter());
  }

  static String text(EvaluateJob.Result result) {
    Map<String, Evaluation> rows = new LinkedHashMap<>();
    result.evaluations().forEach(row -> rows.put(row.metric(), row));
    return rows.values().stream()
        .filter(row -> EvaluationsTable.isOfAnswers(row.metric()))
        .map(
            row ->
                Numbers.format(
                    "%-20s %s  %,d records%s\n",
                    row.metric(),
                    withInterval(row, "%.4f  [%.4f, %.4f]"),
                    row.examples(),
                    against(rows.get(EvaluationsTable.DIFFERENCE + row.metric()))))
        .collect(Collectors.joining());
  }

  /**
   * @param difference from the first adapter alone; null if it is what answered
   */
  private static String against(Evaluation difference) {
    return difference == null
        ? ""
        : withInterval(difference, ", %+.4f [%+.4f, %+.4f] against one adapter");
  }

  static String text(PredictJob.Result result) {
    return Numbers.format(
        "%,d rows of run %s in table predictions, %,d without a prediction%s\n",
        result.rows(),
        result.runId(),
        result.without(),
        result.unanswered() == 0
            ? ""
            : Numbers.format(
                ", %,d of them with a response that has no answer", result.unanswered()));
  }

  static String text(CompareJob.Result result) {
    StringBuilder text = new StringBuilder();
    Function<Compared, String> names = ComparisonTable.names(result.rows());
    String metric = "";
    Long budget = null;
    for (Compared row : result.rows()) {
      if (!row.metric().equals(metric)) {
        metric = row.metric();
        budget = null;
        text.append(Numbers.format("%s, mean over %d seeds\n", metric, row.seeds()));
      }
      if (row.size().budget() != null && !row.size().budget().equals(budget)) {
        budget = row.size().budget();
        text.append(Numbers.format(" within %,d parameters\n", budget));
      }
      text.append(text(names.apply(row), row));
    }
    result.findings().forEach(finding -> text.append(finding).append('\n'));
    return text.toString();
  }

  private static String text(String name, Compared row) {
    StringBuilder text = new StringBuilder();
    text.append(Numbers.format("  %-14s %.4f", name, row.score().mean()))
        .append(row.score().sd() == null ? "" : Numbers.format(" ± %.4f", row.score().sd()))
        .append(row.difference() == null ? "" : text(row.difference()));
    if (row.random() != null) {
      text.append(
          Numbers.format(
              "  better than %d of %d random plans", row.random().beaten(), row.random().plans()));
    }
    text.append(
        Numbers.format(
            "  %,.0f parameters, %.0f s", row.size().parameters(), row.cost().seconds()));
    if (row.cost().searchSeconds() != null && row.cost().searchSeconds() > 0) {
      text.append(Numbers.format(", %.0f s of them searching", row.cost().searchSeconds()));
      if (row.cost().searchEpochs() != null) {
        text.append(
            Numbers.format(", as long as %.1f epochs of fine-tuning", row.cost().searchEpochs()));
      }
    }
    if (row.training() != null) {
      text.append(Numbers.format(", learning rate %s", row.training().learningRate()));
    }
    return text.append("\n").toString();
  }

  private static String text(Difference difference) {
    return Numbers.format("  %+.4f", difference.mean())
        + (difference.low() == null
            ? ""
            : Numbers.format(" [%+.4f, %+.4f]", difference.low(), difference.high()))
        + (difference.low() == null || difference.ofSeeds() ? "" : " over the records");
  }

  /** Which runs have been published where. */
  static String published(List<String> runs, OutputConfig output) {
    return Numbers.format(
        "tables of %s published to %s\n",
        runs.size() == 1 ? "run " + runs.get(0) : Numbers.format("%,d runs", runs.size()),
        output.catalog());
  }

  static String text(QuickstartJob.Result result) {
    StringBuilder text = new StringBuilder(text(result.search()));
    List<Evaluation> learned = result.learned().evaluations();
    if (!learned.isEmpty()) {
      text.append(
          Numbers.format(
              "after training, on %,d unseen records: the learned plan of %,d parameters, and the"
                  + " uniform plan of %,d\n",
              learned.get(0).examples(),
              result.learned().plan().parameters(),
              result.uniform().plan().parameters()));
    }
    for (Evaluation row : learned) {
      Evaluation uniform =
          result.uniform().evaluations().stream()
              .filter(other -> other.metric().equals(row.metric()))
              .findFirst()
              .orElseThrow();
      text.append(
          Numbers.format(
              "  %-20s  %s and %s\n",
              row.metric(),
              withInterval(row, "%.4f [%.4f, %.4f]"),
              withInterval(uniform, "%.4f [%.4f, %.4f]")));
    }
    result.difference().map(JobResults::worth).ifPresent(text::append);
    return text.append("report: " + result.report() + "\n").toString();
  }

  /**
   * What a learned plan is worth.
   *
   * @param difference of its loss from the uniform plan's
   */
  static String worth(Interval difference) {
    String found =
        difference.high() < 0
            ? Numbers.format(
                "with the learned plan the model is better than with the uniform plan: its loss is"
                    + " %.4f to %.4f lower on the same records",
                -difference.high(), -difference.low())
            : difference.low() > 0
                ? Numbers.format(
                    "with the learned plan the model is worse than with the uniform plan: its loss is"
                        + " %.4f to %.4f higher on the same records",
                    difference.low(), difference.high())
                : Numbers.format(
                    "neither plan is shown to be better: the learned plan's loss differs by %.4f to"
                        + " %.4f on the same records",
                    difference.low(), difference.high());
    return found
        + ", after one training each; to repeat this with several seeds and against random plans,"
        + " run deploy/guilomo compare\n";
  }

  private static String withInterval(Evaluation row, String pattern) {
    return Numbers.format(pattern, row.value(), row.ciLow(), row.ciHigh());
  }

  /**
   * Prints one line per check.
   *
   * @throws UserException if any check found that the configuration cannot run
   */
  static void print(List<Check> checks, PrintStream out) {
    checks.forEach(check -> out.println(check.line()));
    List<Check> failed = checks.stream().filter(check -> check.status() == Status.CANNOT).toList();
    if (!failed.isEmpty()) {
      throw new UserException(
          "Cannot run this configuration here: %d of %d checks failed, the first is %s"
              .formatted(failed.size(), checks.size(), failed.get(0).subject()));
    }
  }

  /**
   * One line of JSON per number of workers, as {@code bench --scaling} prints it.
   *
   * @param measured the speedups are relative to the first
   */
  static String scaling(List<Throughput> measured) throws JsonProcessingException {
    StringBuilder lines = new StringBuilder();
    for (Throughput one : measured) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("workers", one.workers());
      line.put("rounds", one.rounds());
      line.put("steps_per_round", one.stepsPerRound());
      line.put("tokens_per_second", Math.round(one.tokensPerSecond()));
      line.put("speedup", rounded(one.tokensPerSecond() / measured.get(0).tokensPerSecond()));
      line.put("seconds_per_round", rounded(one.seconds() / one.rounds()));
      line.put("averaging_share", rounded(one.averaging() / one.seconds()));
      line.put("waiting_share", rounded(one.waiting() / one.seconds()));
      line.put("averaged_bytes", one.bytes());
      lines.append(new ObjectMapper().writeValueAsString(line)).append('\n');
    }
    return lines.toString();
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4;
  }
}
