package io.guilomo.spark.search;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.StrictObject;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import io.guilomo.spark.round.TrainingRun;
import io.guilomo.spark.round.ValidationResult;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a search gathers beside its parameters; its checkpoints keep it as JSON.
 *
 * @param before validation before the first step
 * @param routed (token, slot) pairs that each expert of a module got so far
 * @param backboneDigest of the backbone on the executors; empty before the first round
 * @param stability of the plan that is read off
 * @param after validation after the last step; null before it
 * @param seconds that it took so far
 */
record SearchState(
    ValidationResult before,
    Map<LinearModule, long[]> routed,
    String backboneDigest,
    PlanStability stability,
    ValidationResult after,
    double seconds)
    implements TrainingRun.State {

  private static final int MAX_MODULES = 1 << 20;
  private static final int MAX_EXPERTS = 1 << 16;

  static SearchState start(ValidationResult before, PlanStability stability) {
    return new SearchState(before, Map.of(), "", stability, null, 0);
  }

  /** Adds what one worker did in a round. */
  SearchState plus(Map<LinearModule, long[]> more, String digest) {
    Map<LinearModule, long[]> sums = new HashMap<>(routed);
    more.forEach((module, counts) -> sums.merge(module, counts, SearchState::sum));
    return new SearchState(before, sums, digest, stability, null, seconds);
  }

  SearchState with(PlanStability newest) {
    return new SearchState(before, routed, backboneDigest, newest, after, seconds);
  }

  SearchState ended(ValidationResult measured) {
    return new SearchState(before, routed, backboneDigest, stability, measured, seconds);
  }

  SearchState at(double elapsed) {
    return new SearchState(before, routed, backboneDigest, stability, after, elapsed);
  }

  private static long[] sum(long[] left, long[] right) {
    long[] sums = left.clone();
    for (int i = 0; i < sums.length; i++) {
      sums[i] += right[i];
    }
    return sums;
  }

  @Override
  public String toJson() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.set("before", before.toJson());
    if (after != null) {
      json.set("after", after.toJson());
    }
    json.put("backbone-digest", backboneDigest).put("seconds", seconds);
    json.set("plan", stability.toJson());
    ArrayNode modules = json.putArray("routed-tokens");
    routed.entrySet().stream()
        .sorted(
            Comparator.comparing((Map.Entry<LinearModule, long[]> e) -> e.getKey().layer())
                .thenComparing(e -> e.getKey().name()))
        .forEach(
            entry -> {
              LinearModule module = entry.getKey();
              ObjectNode node = modules.addObject();
              node.put("layer", module.layer())
                  .put("module", module.name())
                  .put("in-features", module.inFeatures())
                  .put("out-features", module.outFeatures());
              ArrayNode counts = node.putArray("counts");
              for (long count : entry.getValue()) {
                counts.add(count);
              }
            });
    return json.toString();
  }

  /**
   * @param what names the text in messages
   * @throws UserException if it is not what {@link #toJson} wrote
   */
  static SearchState fromJson(String what, String text) {
    StrictObject json = StrictObject.parse(what, text);
    Map<LinearModule, long[]> routed = new HashMap<>();
    for (StrictObject entry : json.objects("routed-tokens", MAX_MODULES)) {
      LinearModule module =
          new LinearModule(
              entry.integer("layer", 0, Integer.MAX_VALUE),
              entry.text("module"),
              entry.integer("in-features", 1, Integer.MAX_VALUE),
              entry.integer("out-features", 1, Integer.MAX_VALUE));
      List<Long> counts = entry.integers("counts", 0, Long.MAX_VALUE, MAX_EXPERTS);
      entry.end();
      routed.put(module, counts.stream().mapToLong(Long::longValue).toArray());
    }
    SearchState progress =
        new SearchState(
            ValidationResult.fromJson(json.object("before")),
            routed,
            json.text("backbone-digest"),
            // Checkpoints of earlier releases have neither plan nor seconds.
            json.has("plan") ? PlanStability.fromJson(json.object("plan")) : PlanStability.NONE,
            json.has("after") ? ValidationResult.fromJson(json.object("after")) : null,
            json.has("seconds") ? json.number("seconds") : 0);
    json.end();
    return progress;
  }
}
