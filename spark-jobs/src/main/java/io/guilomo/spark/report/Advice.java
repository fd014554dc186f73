package io.guilomo.spark.report;

import io.guilomo.config.Axes;
import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.ComparisonTable.Difference;
import io.guilomo.spark.table.EvaluationsTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a comparison advises, in one sentence: whether the allocation matters, or the routing, or
 * what experts share, and which is the smallest plan that is as good as the full allocation. It
 * says so where the comparison is too small to tell.
 *
 * <p>A difference counts as one if its p-value is below {@code (1 − confidence) / n}, where {@code
 * n} strategies, budgets, routings and sharings are compared with the baseline (Bonferroni): of
 * many comparisons some would differ by chance. The smallest plan is looked for from the largest
 * budget of each strategy down, at each routing and sharing, until one is not as good with the
 * asked confidence, so that for each strategy the confidence is that of one test.
 *
 * @param rows of the metric that decides
 * @param axes routings and sharings, which are named where there are several
 * @param strategy that the others are compared with, at the first of the axes
 * @param confidence of intervals and tests
 * @param margin relative difference that does not count
 */
public record Advice(
    List<Compared> rows, Axes axes, String strategy, double confidence, double margin) {

  private static final List<String> ACCURACIES =
      List.of(
          EvaluationsTable.ACCURACY,
          EvaluationsTable.CHOICES_ACCURACY,
          EvaluationsTable.GENERATION_ACCURACY);

  public Advice {
    rows =
        rows.stream()
            .filter(row -> row.training() != null)
            .sorted(Comparator.comparingDouble(row -> row.size().parameters()))
            .toList();
  }

  /**
   * By the metric that chooses the adapters: the loss, or an accuracy where {@code
   * finetune.best-by} says so.
   *
   * @param all rows of all metrics
   * @param config of the comparison
   */
  public static Advice of(List<Compared> all, GuilomoConfig config) {
    String metric = metric(all, config.finetune().bestBy());
    return new Advice(
        all.stream().filter(row -> row.metric().equals(metric)).toList(),
        config.compare().axes(),
        config.compare().baseline(),
        config.evaluate().confidence(),
        config.compare().margin());
  }

  private static String metric(List<Compared> all, Criterion criterion) {
    List<String> known = all.stream().map(Compared::metric).distinct().toList();
    return ACCURACIES.stream()
        .filter(known::contains)
        .filter(
            accuracy -> criterion == Criterion.ACCURACY || !known.contains(EvaluationsTable.LOSS))
        .findFirst()
        .orElse(EvaluationsTable.LOSS);
  }

  /** The sentence; empty if nothing was compared, or by an earlier release. */
  public Optional<String> sentence() {
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    if (rows.get(0).seeds() == 1) {
      return Optional.of(
          "One seed says nothing about chance, so there is no advice: run this with"
              + " compare.seeds=[42, 43, 44, 45, 46].");
    }
    Optional<Compared> winner = winner();
    List<String> clauses = new ArrayList<>();
    boolean sized = rows.stream().anyMatch(row -> row.training().asGood() != null);
    if (!compared().isEmpty()) {
      clauses.add(
          winner.map(this::better).orElseGet(this::noneBetter) + (sized ? "" : use(winner)));
    }
    if (sized) {
      clauses.add(smallest(winner).map(this::asGood).orElseGet(this::noneAsGood));
    }
    return clauses.isEmpty()
        ? Optional.empty()
        : Optional.of(capital(String.join("; ", clauses)) + ".");
  }

  /**
   * The strategy and budget of the smallest plan that is as good as the full allocation, as the
   * sentence names it; empty if there is none.
   */
  public Optional<Compared> smallest() {
    return smallest(winner());
  }

  /**
   * How the plans that were searched for stand among random ones, and how probable it is that a
   * plan drawn at random stands as high; empty if there are none.
   */
  public Optional<String> amongRandomPlans() {
    Map<String, String> places =
        rows.stream()
            .filter(row -> row.random() != null && row.cost().searchSeconds() > 0)
            .collect(
                Collectors.groupingBy(
                    this::name,
                    LinkedHashMap::new,
                    Collectors.mapping(Advice::place, Collectors.joining(", "))));
    return places.isEmpty()
        ? Optional.empty()
        : Optional.of(
            places.entrySet().stream()
                .map(place -> place.getKey() + " is better than " + place.getValue())
                .collect(Collectors.joining("; ", "By " + rows.get(0).metric() + ", ", ".")));
  }

  private static String place(Compared row) {
    long plans = row.random().plans();
    long beaten = row.random().beaten();
    return Numbers.format(
        "%d of %d random plans with its %,.0f parameters (by chance with probability %s)",
        beaten,
        plans,
        row.size().parameters(),
        Numbers.percent(byChance(row.seeds(), plans, beaten)));
  }

  /**
   * How probable it is that plans drawn at random, one for each seed, are better than so many of
   * the others: of {@code n} others of its seed each is better than 0 to {@code n} with equal
   * probability. The others are spread evenly over the seeds.
   */
  private static double byChance(long seeds, long plans, long beaten) {
    double[] counts = {1};
    for (long seed = 0; seed < seeds; seed++) {
      int own = Math.toIntExact(plans / seeds + (seed < plans % seeds ? 1 : 0));
      double[] next = new double[counts.length + own];
      for (int c = 0; c < next.length; c++) {
        for (int better = Math.max(0, c - counts.length + 1);
            better <= Math.min(own, c);
            better++) {
          next[c] += counts[c - better] / (own + 1);
        }
      }
      counts = next;
    }
    return Arrays.stream(counts, Math.toIntExact(beaten), counts.length).sum();
  }

  private String name(Compared row) {
    return axes.combination(row.routing(), row.sharing()).of(row.strategy());
  }

  private String baseline() {
    return axes.first().of(strategy);
  }

  /** The rows whose difference from the baseline is tested. */
  static List<Compared> tested(List<Compared> rows) {
    return rows.stream()
        .filter(row -> !row.strategy().equals(ComparisonTable.FULL))
        .filter(row -> row.difference() != null && row.difference().ofSeeds())
        .toList();
  }

  /** What the p-value of each of several tests may be at most. */
  static double level(double confidence, int tests) {
    return (1 - confidence) / tests;
  }

  /** A row's name with its parameters. */
  static String named(String name, Compared row) {
    return Numbers.format("%s with %,.0f parameters", name, row.size().parameters());
  }

  private List<Compared> compared() {
    return tested(rows);
  }

  private boolean differs(Compared row) {
    return row.difference().beyondChance(level(confidence, compared().size()));
  }

  private static boolean isBetter(Compared row) {
    double mean = row.difference().mean();
    return EvaluationsTable.lessIsBetter(row.metric()) ? mean < 0 : mean > 0;
  }

  /** Of the strategies that are better than the baseline with the smallest budget, the best. */
  private Optional<Compared> winner() {
    return compared().stream()
        .filter(row -> differs(row) && isBetter(row))
        .min(
            Comparator.comparingLong(Advice::budget)
                .thenComparing(
                    row ->
                        EvaluationsTable.lessIsBetter(row.metric())
                            ? row.score().mean()
                            : -row.score().mean()));
  }

  private static long budget(Compared row) {
    return row.size().budget() == null ? 0 : row.size().budget();
  }

  private String better(Compared row) {
    Difference difference = row.difference();
    double sign = Math.signum(difference.mean());
    return Numbers.format(
        "%s is better than %s by %.4f [%.4f, %.4f] in %s",
        named(row),
        baseline(),
        Math.abs(difference.mean()),
        sign * (sign > 0 ? difference.low() : difference.high()),
        sign * (sign > 0 ? difference.high() : difference.low()),
        row.metric());
  }

  /** Nothing is better than the baseline: some are worse, all are alike, or it is not clear. */
  private String noneBetter() {
    List<String> worse = worse();
    List<Compared> open = open();
    String any = axes.combinations().size() > 1 ? "combination" : "strategy";
    String worseOnes = String.join(", ", worse) + (worse.size() == 1 ? " is" : " are") + " worse";
    if (open.isEmpty()) {
      List<String> varied = varied();
      return worse.isEmpty()
          ? Numbers.format(
              "%s %s not matter for this task: every %s is within %s of %s",
              String.join(" and ", varied),
              varied.size() == 1 ? "does" : "do",
              any,
              Numbers.percent(margin),
              baseline())
          : Numbers.format("no %s is better than %s, and %s", any, baseline(), worseOnes);
    }
    double largest = open.stream().mapToDouble(this::relative).max().orElseThrow();
    return Numbers.format(
        "no %s %s, but %d seeds do not rule out differences of up to %s of its %s",
        any,
        worse.isEmpty()
            ? Numbers.format("differs from %s by more than chance", baseline())
            : Numbers.format(
                "is better than %s by more than chance, and %s", baseline(), worseOnes),
        rows.get(0).seeds(),
        Numbers.percent(largest),
        rows.get(0).metric());
  }

  /** What is worse than the baseline, with its parameters if it is not so with every budget. */
  private List<String> worse() {
    return compared().stream()
        .filter(this::differs)
        .map(
            row ->
                compared().stream()
                        .filter(own -> name(own).equals(name(row)))
                        .allMatch(this::differs)
                    ? name(row)
                    : named(row))
        .distinct()
        .toList();
  }

  /** What neither differs from the baseline nor is shown to be within the margin of it. */
  private List<Compared> open() {
    return compared().stream().filter(row -> !differs(row) && relative(row) > margin).toList();
  }

  /** What was compared. */
  private List<String> varied() {
    List<String> varied = new ArrayList<>();
    if (compared().stream().anyMatch(row -> !row.strategy().equals(strategy))) {
      varied.add("allocation");
    }
    // Those with a row: a budget may be too small for one of the routings.
    if (rows.stream().map(Compared::routing).distinct().count() > 1) {
      varied.add("routing");
    }
    if (rows.stream().map(Compared::sharing).distinct().count() > 1) {
      varied.add("sharing");
    }
    return varied;
  }

  /** The largest difference from the baseline that is not ruled out, as a share of it. */
  private double relative(Compared row) {
    Difference difference = row.difference();
    double other = row.score().mean() - difference.mean();
    return Math.max(Math.abs(difference.low()), Math.abs(difference.high())) / Math.abs(other);
  }

  private String use(Optional<Compared> winner) {
    if (winner.isPresent()) {
      return ": use it";
    }
    return open().isEmpty() ? "; use " + baseline() : "; more seeds would tell";
  }

  /**
   * The smallest plan that is as good as the full allocation. Of several of one budget the winner,
   * the baseline, or the one with the least validation loss.
   */
  private Optional<Compared> smallest(Optional<Compared> winner) {
    List<Compared> asGood = new ArrayList<>();
    for (String name : rows.stream().map(this::name).distinct().toList()) {
      List<Compared> own =
          rows.stream().filter(row -> name(row).equals(name)).collect(Collectors.toList());
      own.sort(Comparator.comparingLong(Advice::budget).reversed());
      own.stream()
          .takeWhile(
              row -> row.training().asGood() != null && row.training().asGood() >= confidence)
          .filter(row -> row.size().parameters() < row.size().full())
          .forEach(asGood::add);
    }
    return asGood.stream()
        .min(
            Comparator.comparingLong(Advice::budget)
                .thenComparing(row -> !winner.equals(Optional.of(row)))
                .thenComparing(row -> !name(row).equals(baseline()))
                .thenComparingDouble(row -> row.training().loss()));
  }

  private String asGood(Compared row) {
    return Numbers.format(
        "%s, %s of the full allocation's, is as good as that within %s of its validation loss (%.2f"
            + " %% %s it), with %s confidence%s: use it",
        named(row),
        Numbers.percent(row.size().parameters() / row.size().full()),
        Numbers.percent(margin),
        100 * Math.abs(row.training().gapToFull()),
        row.training().gapToFull() < 0 ? "below" : "above",
        Numbers.percent(Math.min(row.training().asGood(), 0.999)),
        names().size() > 1 ? Numbers.format(" for each of %d strategies", names().size()) : "");
  }

  /** The strategies, at each routing and sharing, that were held against the full allocation. */
  private List<String> names() {
    return rows.stream()
        .filter(row -> !row.strategy().equals(ComparisonTable.FULL))
        .map(this::name)
        .distinct()
        .toList();
  }

  private String noneAsGood() {
    return Numbers.format(
        "no smaller plan is as good as the full allocation within %s of its validation loss with %s"
            + " confidence",
        Numbers.percent(margin), Numbers.percent(confidence));
  }

  private String named(Compared row) {
    return named(name(row), row);
  }

  /** A strategy's name is written as the configuration has it. */
  private String capital(String words) {
    return rows.stream().map(Compared::strategy).anyMatch(words::startsWith)
        ? words
        : Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }
}
