package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.ComparisonTable.Cost;
import io.guilomo.spark.table.ComparisonTable.Difference;
import io.guilomo.spark.table.ComparisonTable.RandomPlans;
import io.guilomo.spark.table.ComparisonTable.Score;
import io.guilomo.spark.table.ComparisonTable.Size;
import io.guilomo.spark.table.ComparisonTable.Training;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every case of the advice, from rows whose uniform plan has a loss of 2. */
class TestAdvice {

  private static final long FULL = 1000;

  @Test
  void oneSeedSaysNothing() {
    Compared alone =
        new Compared(
            "t",
            "uniform",
            "top-k",
            "none",
            1,
            "loss",
            new Score(2, null, null, null),
            null,
            new Size(100, null, FULL),
            new Cost(9, 0.0, 0.0),
            new Training(1e-3, 2, null, null),
            null);
    assertThat(sentence(List.of(alone)))
        .isEqualTo(
            "One seed says nothing about chance, so there is no advice: run this with"
                + " compare.seeds=[42, 43, 44, 45, 46].");
  }

  @Test
  void aBetterStrategyIsNamed() {
    assertThat(sentence(List.of(row("uniform", 0), row("guilomo", -0.1, 0.01), row("random", 0.2))))
        .isEqualTo(
            "guilomo with 100 parameters is better than uniform by 0.1000 [0.0900, 0.1100] in loss:"
                + " use it.");
  }

  @Test
  void ofManyComparisonsSomeDifferByChance() {
    // Each alone would differ with p = 0.03; of two one does so with nearly 0.06.
    Difference chance = new Difference(-0.05, -0.09, -0.01, "seeds", 0.03);
    assertThat(
            sentence(List.of(row("uniform", 0), with("guilomo", chance), with("random", chance))))
        .isEqualTo(
            "No strategy differs from uniform by more than chance, but 5 seeds do not rule out"
                + " differences of up to 4.5 % of its loss; more seeds would tell.");
    assertThat(sentence(List.of(row("uniform", 0), with("guilomo", chance))))
        .startsWith("guilomo with 100 parameters is better than uniform");
    assertThat(
            ComparisonSection.verdict(
                List.of(row("uniform", 0), with("guilomo", chance), with("random", chance)), 0.95))
        .isEqualTo(
            "no strategy differs from uniform by more than chance, as 2 are compared, although some"
                + " intervals exclude 0.");
    // A difference over the records is no test of the seeds.
    Difference ofRecords = new Difference(-0.05, -0.09, -0.01, "records", null);
    assertThat(
            ComparisonSection.verdict(
                List.of(row("uniform", 0), with("guilomo", chance), with("random", ofRecords)),
                0.95))
        .isEqualTo("guilomo differs from uniform by more than chance.");
  }

  @Test
  void strategiesThatAreAlikeDoNotMatter() {
    assertThat(sentence(List.of(row("uniform", 0), with("guilomo", 0.001, -0.004, 0.006, 0.5))))
        .isEqualTo(
            "Allocation does not matter for this task: every strategy is within 0.5 % of uniform;"
                + " use uniform.");
  }

  @Test
  void worseStrategiesAreNamed() {
    assertThat(sentence(List.of(row("uniform", 0), row("random", 0.1, 0.01), row("single", 0.3))))
        .isEqualTo(
            "No strategy is better than uniform, and random, single are worse; use uniform.");
  }

  @Test
  void aWorseStrategyDoesNotSettleTheOthers() {
    Compared unclear = with("guilomo", -0.1, -0.22, 0.02, 0.1);
    assertThat(sentence(List.of(row("uniform", 0), unclear, row("single", 0.3))))
        .isEqualTo(
            "No strategy is better than uniform by more than chance, and single is worse, but 5 seeds"
                + " do not rule out differences of up to 11.0 % of its loss; more seeds would tell.");
  }

  @Test
  void whatIsWorseWithSomeBudgetsOnlyHasItsParameters() {
    Difference alike = new Difference(0, -0.001, 0.001, "seeds", 1.0);
    Difference worse = new Difference(0.1, 0.09, 0.11, "seeds", 1e-5);
    assertThat(
            sentence(List.of(sized("single", 100, worse, 0.5), sized("single", 300, alike, 0.5))))
        .startsWith(
            "No strategy is better than uniform, and single with 100 parameters is worse; ");
  }

  @Test
  void routingAndSharingAreNamedWhereTheyDiffer() {
    String[] axes = {"compare.routings=[top-k, dense]", "compare.sharings=[none, shared-a]"};
    Compared baseline = row("uniform", 0);
    List<Compared> better = List.of(baseline, at("dense", "shared-a", row("uniform", -0.1)));
    assertThat(Advice.of(better, config(axes)).sentence())
        .contains(
            "uniform (dense, shared-a) with 100 parameters is better than uniform (top-k, none) by"
                + " 0.1000 [0.0900, 0.1100] in loss: use it.");
    List<Compared> worse = List.of(baseline, at("dense", "none", row("uniform", 0.1)));
    assertThat(Advice.of(worse, config(axes)).sentence())
        .contains(
            "No combination is better than uniform (top-k, none), and uniform (dense, none) is"
                + " worse; use uniform (top-k, none).");
    Compared alike = with("uniform", 0.001, -0.004, 0.006, 0.5);
    assertThat(Advice.of(List.of(baseline, at("dense", "none", alike)), config(axes)).sentence())
        .contains(
            // No row has the other sharing: its smallest plan may be over the budget.
            "Routing does not matter for this task: every combination is within 0.5 % of uniform"
                + " (top-k, none); use uniform (top-k, none).");
    assertThat(
            Advice.of(List.of(baseline, at("dense", "shared-a", alike)), config(axes)).sentence())
        .get()
        .asString()
        .startsWith("Routing and sharing do not matter for this task");
  }

  private static Compared at(String routing, String sharing, Compared row) {
    return new Compared(
        row.task(),
        row.strategy(),
        routing,
        sharing,
        row.seeds(),
        row.metric(),
        row.score(),
        row.difference(),
        row.size(),
        row.cost(),
        row.training(),
        row.random());
  }

  @Test
  void theSmallestPlanThatIsAsGoodIsLookedForFromAbove() {
    Difference alike = new Difference(0, -0.001, 0.001, "seeds", 1.0);
    // As good with 100 parameters by chance: with 300 it is not.
    List<Compared> uniform =
        List.of(
            sized("uniform", 100, null, 0.99),
            sized("uniform", 300, null, 0.90),
            sized("uniform", 600, null, 0.97),
            sized("full", FULL, null, 1.0));
    List<Compared> rows = new ArrayList<>(uniform);
    rows.add(sized("guilomo", 600, alike, 0.99));
    assertThat(sentence(rows))
        .isEqualTo(
            "Allocation does not matter for this task: every strategy is within 0.5 % of uniform;"
                + " uniform with 600 parameters, 60.0 % of the full allocation's, is as good as that"
                + " within 0.5 % of its validation loss (0.10 % above it), with 97.0 % confidence for each"
                + " of 2 strategies: use it.");
    rows.add(sized("guilomo", 300, alike, 0.96));
    assertThat(sentence(rows)).contains("; guilomo with 300 parameters, 30.0 % of");
    assertThat(sentence(uniform))
        .startsWith("uniform with 600 parameters, 60.0 % of the full allocation's, is as good");
  }

  @Test
  void whereNoSmallerPlanIsAsGoodItSaysSo() {
    assertThat(
            sentence(
                List.of(
                    sized("uniform", 600, null, 0.5),
                    sized("uniform", FULL, null, 1.0),
                    sized("full", FULL, null, 1.0))))
        .isEqualTo(
            "No smaller plan is as good as the full allocation within 0.5 % of its validation loss"
                + " with 95.0 % confidence.");
  }

  @Test
  void accuracyDecidesWhereItChoosesTheAdapters() {
    Compared loss = row("guilomo", -0.1, 0.01);
    Compared accuracy =
        new Compared(
            "t",
            "guilomo",
            "top-k",
            "none",
            5,
            "accuracy",
            new Score(0.9, 0.01, 0.89, 0.91),
            new Difference(-0.1, -0.11, -0.09, "seeds", 1e-6),
            loss.size(),
            loss.cost(),
            loss.training(),
            null);
    List<Compared> rows = List.of(loss, accuracy);
    assertThat(sentence(rows)).contains(" is better than uniform by ");
    assertThat(Advice.of(rows, config("finetune.best-by=accuracy")).sentence())
        .contains("No strategy is better than uniform, and guilomo is worse; use uniform.");
  }

  @Test
  void placeAmongRandomPlans() {
    Compared row = row("guilomo", -0.1, 0.01);
    Compared placed =
        new Compared(
            "t",
            "guilomo",
            "top-k",
            "none",
            5,
            "loss",
            row.score(),
            row.difference(),
            row.size(),
            new Cost(60, 20.0, 1.5),
            row.training(),
            new RandomPlans(20, 19));
    assertThat(Advice.of(List.of(placed), config()).amongRandomPlans())
        .contains(
            // Of the ranks 0 to 4 of five seeds, 1 + 5 of 3,125 have a sum of at least 19.
            "By loss, guilomo is better than 19 of 20 random plans with its 100 parameters (by chance"
                + " with probability 0.2 %).");
    assertThat(Advice.of(List.of(row), config()).amongRandomPlans()).isEmpty();
  }

  @Test
  void rowsOfEarlierReleasesHaveNone() {
    Compared row = row("guilomo", -0.1, 0.01);
    Compared old =
        new Compared(
            "t",
            "guilomo",
            "top-k",
            "none",
            3,
            "loss",
            row.score(),
            row.difference(),
            new Size(100, null, null),
            new Cost(60, null, null),
            null,
            null);
    assertThat(Advice.of(List.of(old), config()).sentence()).isEmpty();
    assertThat(ComparisonSection.verdict(List.of(row("uniform", 0), old), 0.95))
        .isEqualTo("guilomo differs from uniform by more than chance.");
  }

  private static String sentence(List<Compared> rows) {
    return Advice.of(rows, config()).sentence().orElseThrow();
  }

  private static GuilomoConfig config(String... overrides) {
    return GuilomoConfig.load(null, List.of(overrides));
  }

  /** One whose difference is ten times its interval's half, or the baseline. */
  private static Compared row(String strategy, double difference) {
    return difference == 0
        ? with(strategy, null)
        : row(strategy, difference, Math.abs(difference) / 10);
  }

  private static Compared row(String strategy, double difference, double half) {
    return with(strategy, difference, difference - half, difference + half, 1e-5);
  }

  private static Compared with(
      String strategy, double difference, double low, double high, double probability) {
    return with(strategy, new Difference(difference, low, high, "seeds", probability));
  }

  private static Compared with(String strategy, Difference difference) {
    double mean = 2 + (difference == null ? 0 : difference.mean());
    return new Compared(
        "t",
        strategy,
        "top-k",
        "none",
        5,
        "loss",
        new Score(mean, 0.01, mean - 0.01, mean + 0.01),
        difference,
        new Size(100, null, FULL),
        new Cost(9, 0.0, 0.0),
        new Training(1e-3, mean, null, null),
        null);
  }

  private static Compared sized(
      String strategy, long parameters, Difference difference, double asGood) {
    Compared row = with(strategy, difference);
    return new Compared(
        "t",
        strategy,
        "top-k",
        "none",
        5,
        "loss",
        row.score(),
        difference,
        new Size(parameters, parameters, FULL),
        row.cost(),
        new Training(1e-3, 2, 0.001, asGood),
        null);
  }
}
