package io.guilomo.spark.finetune;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.io.StrictObject;
import io.guilomo.model.UserException;
import io.guilomo.spark.round.TrainingRun;
import io.guilomo.spark.round.ValidationResult;

/**
 * What a fine-tuning gathers beside its parameters; its checkpoints keep it as JSON.
 *
 * @param before validation before the first step
 * @param best of the validations after it; null before the first
 * @param bestStep steps done at the best
 * @param withoutBetter validations since the best
 * @param last validation; null before the first
 * @param tokens that all workers learned from
 * @param seconds of the averaging rounds
 * @param backboneDigest of the backbone on the executors; empty before the first round
 */
public record FinetuneState(
    ValidationResult before,
    ValidationResult best,
    long bestStep,
    int withoutBetter,
    ValidationResult last,
    long tokens,
    double seconds,
    String backboneDigest)
    implements TrainingRun.State {

  static FinetuneState start(ValidationResult before) {
    return new FinetuneState(before, null, 0, 0, null, 0, 0, "");
  }

  /** After a round. */
  FinetuneState plus(long moreTokens, double moreSeconds, String digest) {
    return new FinetuneState(
        before,
        best,
        bestStep,
        withoutBetter,
        last,
        tokens + moreTokens,
        seconds + moreSeconds,
        digest);
  }

  /** After a validation. */
  FinetuneState validated(ValidationResult measured, long step, boolean better) {
    return new FinetuneState(
        before,
        better ? measured : best,
        better ? step : bestStep,
        better ? 0 : withoutBetter + 1,
        measured,
        tokens,
        seconds,
        backboneDigest);
  }

  @Override
  public String toJson() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.set("before", before.toJson());
    if (best != null) {
      json.set("best", best.toJson());
      json.set("last", last.toJson());
    }
    return json.put("best-step", bestStep)
        .put("without-better", withoutBetter)
        .put("tokens", tokens)
        .put("seconds", seconds)
        .put("backbone-digest", backboneDigest)
        .toString();
  }

  /**
   * @param what names the text in messages
   * @throws UserException if it is not what {@link #toJson} wrote
   */
  static FinetuneState fromJson(String what, String text) {
    StrictObject json = StrictObject.parse(what, text);
    boolean validated = json.has("best");
    FinetuneState progress =
        new FinetuneState(
            ValidationResult.fromJson(json.object("before")),
            validated ? ValidationResult.fromJson(json.object("best")) : null,
            json.integer("best-step", 0, Long.MAX_VALUE),
            json.integer("without-better", 0, Integer.MAX_VALUE),
            validated ? ValidationResult.fromJson(json.object("last")) : null,
            json.integer("tokens", 0, Long.MAX_VALUE),
            json.number("seconds"),
            json.text("backbone-digest"));
    json.end();
    return progress;
  }

  /**
   * Which validation is the best, and when it is time to stop because none has been better for
   * long.
   *
   * @param patience validations without a better one before training stops; 0: no limit
   */
  record EarlyStopping(Criterion criterion, int patience) {

    /** Whether a validation is better than the best before; without one it always is. */
    boolean better(ValidationResult measured, ValidationResult best) {
      if (best == null) {
        return true;
      }
      return criterion == Criterion.LOSS
          ? measured.loss() < best.loss()
          : measured.accuracy() > best.accuracy();
    }

    boolean stops(FinetuneState state) {
      return patience > 0 && state.withoutBetter() >= patience;
    }
  }
}
