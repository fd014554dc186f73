package io.guilomo.spark.compare;

import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.lang3.exception.ExceptionUtils;

/**
 * The fine-tunings of a comparison and their evaluations, each a run of its own. Trials whose
 * plans, seeds and rates are the same share one; none is repeated that has finished before.
 */
final class Tunings {

  /**
   * One fine-tuning.
   *
   * @param diverged whether its loss became infinite, so that there is nothing to evaluate
   */
  record Tuning(JobContext context, boolean diverged) {

    String runId() {
      return context.config().run().id();
    }
  }

  /** What makes two fine-tunings the same. */
  private record Key(List<ModuleExperts> experts, long seed, double rate) {}

  private final JobContext context;
  private final String runId;
  private final RecordedRuns recorded;
  private final Map<Key, Tuning> tunings = new HashMap<>();
  private final Set<String> trained = new HashSet<>();
  private final Set<String> evaluated = new HashSet<>();
  private long begun;
  private long all;

  Tunings(JobContext context, String runId, RecordedRuns recorded) {
    this.context = context;
    this.runId = runId;
    this.recorded = recorded;
  }

  /**
   * Says how many there will be, to count them for the user.
   *
   * @param trials times rates
   */
  void expect(long trials) {
    all = trials;
  }

  /** Fine-tunes with the plan and rate, unless that is done. */
  Tuning of(Planned planned, double rate) throws IOException {
    begun++;
    Trial trial = planned.trial();
    String what = trial + (hasRates() ? ", learning rate " + text(rate) : "");
    Key key = new Key(planned.plan().moduleExperts(), trial.seed(), rate);
    Tuning same = tunings.get(key);
    if (same == null) {
      context.message("%s: %s".formatted(what, place()));
      same = tune(planned, rate);
      tunings.put(key, same);
    } else {
      context.message("%s: %s, the same as %s".formatted(what, place(), same.runId()));
    }
    return same;
  }

  private String place() {
    return "run " + begun + (all == 0 ? "" : " of " + all);
  }

  /**
   * Fine-tunes with the rate that was chosen for the trial, unless {@link #of} has done that.
   *
   * @throws UserException if the training diverges
   */
  Tuning chosen(Planned planned, double rate) throws IOException {
    Tuning chosen = done(planned, rate);
    if (chosen.diverged()) {
      throw new UserException(
          context.config().compare().learningRates().size() == 1
              ? "Cannot compare %s: training diverges with learning rate %s, the only one of"
                  + " compare.learning-rates; add lower ones"
              : "Cannot compare %s: training diverges with learning rate %s, chosen without this seed;"
                  + " add lower rates to compare.learning-rates, or raise compare.tuning-seeds",
          planned.trial(),
          text(rate));
    }
    return chosen;
  }

  /**
   * Fine-tunes a further random plan with the rate of the others; empty if the training diverges.
   */
  Optional<Tuning> drawn(Planned planned, double rate) throws IOException {
    Tuning drawn = done(planned, rate);
    if (drawn.diverged()) {
      context.message("%s is left out".formatted(planned.trial()));
      return Optional.empty();
    }
    return Optional.of(drawn);
  }

  private Tuning done(Planned planned, double rate) throws IOException {
    Tuning done =
        tunings.get(new Key(planned.plan().moduleExperts(), planned.trial().seed(), rate));
    return done == null ? of(planned, rate) : done;
  }

  private Tuning tune(Planned planned, double rate) throws IOException {
    String name = runId + "." + planned.trial().name() + (hasRates() ? ".lr-" + text(rate) : "");
    List<String> settings =
        Plans.settings(planned.trial(), name, planned.plan().parameters(), planned.trial().seed());
    settings.add("finetune.plan=" + planned.path());
    settings.add("finetune.learning-rate=" + rate);
    JobContext own = context.with(settings);
    if (!recorded.finished(FinetuneJob.NAME, own.config())
        || !recorded.trained(own, planned.plan())) {
      try {
        // The evaluation reports on all of the run.
        new FinetuneJob(own, false).run();
        recorded.ended(FinetuneJob.NAME, own.config());
        trained.add(name);
      } catch (Exception e) { // Scala throws Spark's checked exceptions undeclared.
        if (!hasRates() || ExceptionUtils.throwableOfType(e, ArithmeticException.class) == null) {
          throw e;
        }
        context.message(
            "learning rate %s is too high: the training diverged".formatted(text(rate)));
        return new Tuning(own, true);
      }
    }
    return new Tuning(own, false);
  }

  /** Scores the adapter of a fine-tuning, unless that is done. */
  void evaluate(Tuning tuning) throws IOException {
    if (evaluated.add(tuning.runId())
        && (trained.contains(tuning.runId())
            || !recorded.finished(EvaluateJob.NAME, tuning.context().config()))) {
      new EvaluateJob(tuning.context()).run();
      recorded.ended(EvaluateJob.NAME, tuning.context().config());
    }
  }

  private boolean hasRates() {
    return !context.config().compare().learningRates().isEmpty();
  }

  /** {@code 0.0003}. */
  static String text(double rate) {
    return BigDecimal.valueOf(rate).stripTrailingZeros().toPlainString();
  }
}
