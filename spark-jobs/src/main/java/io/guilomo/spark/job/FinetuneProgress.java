package io.guilomo.spark.job;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.StrictObject;
import io.guilomo.model.UserException;
import io.guilomo.spark.training.ValidationLoss.Measured;

/**
 * What a fine-tuning gathers beside its parameters, and takes along in its checkpoints.
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
record FinetuneProgress(
    Measured before,
    Measured best,
    long bestStep,
    int withoutBetter,
    Measured last,
    long tokens,
    double seconds,
    String backboneDigest) {

  static FinetuneProgress begin(Measured before) {
    return new FinetuneProgress(before, null, 0, 0, null, 0, 0, "");
  }

  /** After a round. */
  FinetuneProgress plus(long moreTokens, double moreSeconds, String digest) {
    return new FinetuneProgress(
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
  FinetuneProgress validated(Measured measured, long step, boolean better) {
    return new FinetuneProgress(
        before,
        better ? measured : best,
        better ? step : bestStep,
        better ? 0 : withoutBetter + 1,
        measured,
        tokens,
        seconds,
        backboneDigest);
  }

  String toJson() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.set("before", MeasuredJson.of(before));
    if (best != null) {
      json.set("best", MeasuredJson.of(best));
      json.set("last", MeasuredJson.of(last));
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
  static FinetuneProgress fromJson(String what, String text) {
    StrictObject json = StrictObject.parse(what, text);
    boolean validated = json.has("best");
    FinetuneProgress progress =
        new FinetuneProgress(
            MeasuredJson.read(json.object("before")),
            validated ? MeasuredJson.read(json.object("best")) : null,
            json.integer("best-step", 0, Long.MAX_VALUE),
            json.integer("without-better", 0, Integer.MAX_VALUE),
            validated ? MeasuredJson.read(json.object("last")) : null,
            json.integer("tokens", 0, Long.MAX_VALUE),
            json.number("seconds"),
            json.text("backbone-digest"));
    json.end();
    return progress;
  }
}
