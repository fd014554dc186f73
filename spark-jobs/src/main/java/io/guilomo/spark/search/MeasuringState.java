package io.guilomo.spark.search;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.StrictObject;
import io.guilomo.model.UserException;
import io.guilomo.spark.round.MaskGradients;
import io.guilomo.spark.round.TrainingRun;
import io.guilomo.spark.round.ValidationResult;
import java.util.Arrays;
import java.util.List;

/**
 * What the measured training gathers beside its parameters; its checkpoints keep it as JSON.
 *
 * @param before validation before the first step
 * @param routed (token, slot) pairs that each expert got so far, module by module
 * @param gradients of the validation loss so far
 * @param backboneDigest of the backbone on the executors; empty before the first round
 * @param seconds from the start, earlier attempts included
 */
record MeasuringState(
    ValidationResult before,
    long[] routed,
    MaskGradients gradients,
    String backboneDigest,
    double seconds)
    implements TrainingRun.State {

  private static final int MAX_ENTRIES = 1 << 26;

  /**
   * @param experts of all modules
   * @param masks of all modules, of experts and ranks
   */
  static MeasuringState start(ValidationResult before, int experts, int masks) {
    return new MeasuringState(before, new long[experts], MaskGradients.none(masks), "", 0);
  }

  /** After a round of all workers. */
  MeasuringState plus(long[] moreRouted, String digest) {
    long[] sums = routed.clone();
    Arrays.setAll(sums, i -> sums[i] + moreRouted[i]);
    return new MeasuringState(before, sums, gradients, digest, seconds);
  }

  /** After a measurement. */
  MeasuringState plus(MaskGradients more) {
    return new MeasuringState(before, routed, gradients.plus(more), backboneDigest, seconds);
  }

  MeasuringState at(double elapsed) {
    return new MeasuringState(before, routed, gradients, backboneDigest, elapsed);
  }

  @Override
  public String toJson() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.set("before", before.toJson());
    json.put("backbone-digest", backboneDigest)
        .put("seconds", seconds)
        .put("labels", gradients.labels())
        .put("batches", gradients.batches());
    Arrays.stream(routed).forEach(json.putArray("routed-tokens")::add);
    Arrays.stream(gradients.gradients()).forEach(json.putArray("gradients")::add);
    Arrays.stream(gradients.squares()).forEach(json.putArray("squares")::add);
    return json.toString();
  }

  /**
   * @param what names the text in messages
   * @throws UserException if it is not what {@link #toJson} wrote
   */
  static MeasuringState fromJson(String what, String text) {
    StrictObject json = StrictObject.parse(what, text);
    List<Long> routed = json.integers("routed-tokens", 0, Long.MAX_VALUE, MAX_ENTRIES);
    MeasuringState state =
        new MeasuringState(
            ValidationResult.fromJson(json.object("before")),
            routed.stream().mapToLong(Long::longValue).toArray(),
            new MaskGradients(
                json.numbers("gradients", MAX_ENTRIES),
                json.numbers("squares", MAX_ENTRIES),
                json.number("labels"),
                json.integer("batches", 0, Long.MAX_VALUE)),
            json.text("backbone-digest"),
            json.number("seconds"));
    json.end();
    return state;
  }
}
