package io.guilomo.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.IndentedJson;
import io.guilomo.io.StrictObject;
import io.guilomo.model.ConstantName;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * {@code plan.json}. {@code single-lora}, {@code backbone-digest}, {@code routed-tokens} and {@code
 * unallocated-ranks} may be left out, {@code routing}, which names a router other than {@code
 * top-k}, {@code sharing}, which names one other than {@code none}, and {@code scaling}, which
 * names a rule other than {@code alpha-over-rank}:
 *
 * <pre>{@code
 * {
 *   "format-version": 1,
 *   "strategy": "guilomo", "seed": 42, "top-k": 2, "alpha": 16.0, "single-lora": false,
 *   "backbone-digest": "6f1ed002ab5595859014ebf0951522d9…",
 *   "modules": [
 *     {
 *       "layer": 0, "module": "q_proj", "in-features": 64, "out-features": 64,
 *       "ranks": [3, 8], "routed-tokens": [512, 498], "unallocated-ranks": [1, 4]
 *     }
 *   ]
 * }
 * }</pre>
 */
public class AllocationPlanParser {
  static final int FORMAT_VERSION = 1;

  private static final ObjectMapper JSON = new ObjectMapper();

  // Together they keep the number of trainable parameters of any plan below 2^63.
  static final int MAX_MODULES = 1 << 15;
  static final int MAX_EXPERTS = 1 << 10;
  public static final int MAX_RANK = 1 << 14;
  static final int MAX_FEATURES = 1 << 22;

  private AllocationPlanParser() {}

  /** The plan as the text of {@code plan.json}. */
  public static String toJson(AllocationPlan plan) {
    ObjectNode json = JSON.createObjectNode();
    json.put("format-version", FORMAT_VERSION);
    json.put("strategy", plan.strategy());
    json.put("seed", plan.seed());
    json.put("top-k", plan.routing().topK());
    if (!plan.routing().router().equals(RoutingMethod.TOP_K)) {
      json.put("routing", plan.routing().router());
    }
    if (plan.sharing() != Sharing.NONE) {
      json.put("sharing", plan.sharing().toString());
    }
    json.put("alpha", plan.alpha());
    if (plan.scaling().rule() != Scaling.Rule.ALPHA_OVER_RANK) {
      json.put("scaling", plan.scaling().rule().toString());
    }
    json.put("single-lora", plan.singleLora());
    if (!plan.backboneDigest().isEmpty()) {
      json.put("backbone-digest", plan.backboneDigest());
    }
    ArrayNode modules = json.putArray("modules");
    plan.modules().forEach(module -> write(module, modules.addObject()));
    try {
      return JSON.writer(new IndentedJson(2)).writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Reads the text of a {@code plan.json}.
   *
   * @throws UserException if it is no JSON, a key is missing or unknown, or a value is out of
   *     bounds
   */
  public static AllocationPlan fromJson(String text) {
    return fromJson("plan", text);
  }

  /**
   * @param what names the text in messages
   * @throws UserException if it is not a plan
   */
  public static AllocationPlan fromJson(String what, String text) {
    StrictObject json = StrictObject.parse(what, text);
    int version = json.integer("format-version", 1, Integer.MAX_VALUE);
    if (version != FORMAT_VERSION) {
      throw json.refused("format-version is " + version + ", this release reads " + FORMAT_VERSION);
    }
    String strategy = json.text("strategy");
    long seed = json.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE);
    int topK = json.integer("top-k", 1, MAX_EXPERTS);
    String router = json.has("routing") ? json.text("routing") : RoutingMethod.TOP_K;
    Sharing sharing = constant(json, "sharing", Sharing.NONE);
    double alpha = json.number("alpha");
    Scaling.Rule rule = constant(json, "scaling", Scaling.Rule.ALPHA_OVER_RANK);
    boolean singleLora = json.flag("single-lora", false);
    String backboneDigest = json.has("backbone-digest") ? json.text("backbone-digest") : "";
    List<ModulePlan> modules =
        json.objects("modules", MAX_MODULES).stream().map(AllocationPlanParser::read).toList();
    json.end();
    return new AllocationPlan(
        strategy,
        seed,
        new ExpertForm(new RoutingMethod(router, topK), sharing, new Scaling(rule, alpha)),
        singleLora,
        modules,
        backboneDigest);
  }

  private static <E extends Enum<E>> E constant(StrictObject json, String key, E otherwise) {
    if (!json.has(key)) {
      return otherwise;
    }
    Class<E> type = otherwise.getDeclaringClass();
    String name = json.text(key);
    return ConstantName.find(type, name)
        .orElseThrow(
            () ->
                json.refused(
                    "%s is %s, this release knows %s"
                        .formatted(
                            key,
                            name,
                            Arrays.stream(type.getEnumConstants())
                                .map(E::toString)
                                .collect(Collectors.joining(" and ")))));
  }

  private static void write(ModulePlan plan, ObjectNode json) {
    json.put("layer", plan.module().layer());
    json.put("module", plan.module().name());
    json.put("in-features", plan.module().inFeatures());
    json.put("out-features", plan.module().outFeatures());
    ArrayNode ranks = json.putArray("ranks");
    ArrayNode routed = json.putArray("routed-tokens");
    for (ExpertPlan expert : plan.experts()) {
      ranks.add(expert.rank());
      routed.add(expert.routedTokens());
    }
    if (!plan.unallocatedRanks().isEmpty()) {
      plan.unallocatedRanks().forEach(json.putArray("unallocated-ranks")::add);
    }
  }

  private static ModulePlan read(StrictObject json) {
    LinearModule module =
        new LinearModule(
            json.integer("layer", 0, MAX_MODULES),
            json.text("module"),
            json.integer("in-features", 1, MAX_FEATURES),
            json.integer("out-features", 1, MAX_FEATURES));
    List<Long> ranks = json.integers("ranks", 1, MAX_RANK, MAX_EXPERTS);
    List<Long> routed = json.integers("routed-tokens", 0, Long.MAX_VALUE, MAX_EXPERTS);
    List<Long> unallocated = json.integers("unallocated-ranks", 1, MAX_RANK, MAX_EXPERTS);
    if (json.has("routed-tokens") && routed.size() != ranks.size()) {
      throw json.refused(
          "routed-tokens has " + routed.size() + " entries, ranks has " + ranks.size());
    }
    json.end();
    List<ExpertPlan> experts = new ArrayList<>();
    for (int expert = 0; expert < ranks.size(); expert++) {
      experts.add(
          new ExpertPlan(ranks.get(expert).intValue(), routed.isEmpty() ? 0 : routed.get(expert)));
    }
    return new ModulePlan(module, experts, unallocated.stream().map(Long::intValue).toList());
  }
}
