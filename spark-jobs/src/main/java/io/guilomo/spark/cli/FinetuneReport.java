package io.guilomo.spark.cli;

import io.guilomo.spark.job.FinetuneJob;
import io.guilomo.spark.job.Finetuning;
import java.util.Locale;

/** What a fine-tuning ended with, for the terminal. */
final class FinetuneReport {

  private FinetuneReport() {}

  static String print(FinetuneJob.Result result) {
    Finetuning.Outcome outcome = result.outcome();
    return String.format(
        Locale.ROOT,
        """
        strategy %s: %,d trainable parameters
        validation loss %.4f before, %.4f at best (step %d of %d), %.4f at the end
        validation accuracy %.1f %% before, %.1f %% at best, %.1f %% at the end (%,d labels)
        %,d tokens in %.0f s, %.0f a second
        adapter in %s
        """,
        result.plan().strategy(),
        result.plan().parameters(),
        outcome.before().loss(),
        outcome.best().loss(),
        outcome.bestStep(),
        outcome.steps(),
        outcome.last().loss(),
        100 * outcome.before().accuracy(),
        100 * outcome.best().accuracy(),
        100 * outcome.last().accuracy(),
        outcome.last().labels(),
        outcome.tokens(),
        outcome.seconds(),
        outcome.tokens() / outcome.seconds(),
        result.adapter());
  }
}
