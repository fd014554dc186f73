package io.guilomo.plan;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.guilomo.io.IndentedJson;
import io.guilomo.io.StrictObject;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code plan.json}. {@code single-lora}, {@code backbone-digest}, {@code routed-tokens} and {@code
 * unallocated-ranks} may be left out, and {@code routing}, which names a router other than {@code
 * top-k}:
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

  // Together they keep the number of trainable parameters of any plan below 2^63.
  static final int MAX_MODULES = 1 << 15;
  static final int MAX_EXPERTS = 1 << 10;
  public static final int MAX_RANK = 1 << 14;
  static final int MAX_FEATURES = 1 << 22;

  private static final String FORMAT_VERSION_KEY = "format-version";
  private static final String STRATEGY = "strategy";
  private static final String SEED = "seed";
  private static final String TOP_K = "top-k";
  private static final String ROUTING = "routing";
  private static final String ALPHA = "alpha";
  private static final String SINGLE_LORA = "single-lora";
  private static final String BACKBONE_DIGEST = "backbone-digest";
  private static final String MODULES = "modules";
  private static final String LAYER = "layer";
  private static final String MODULE = "module";
  private static final String IN_FEATURES = "in-features";
  private static final String OUT_FEATURES = "out-features";
  private static final String RANKS = "ranks";
  private static final String ROUTED_TOKENS = "routed-tokens";
  private static final String UNALLOCATED_RANKS = "unallocated-ranks";

  private AllocationPlanParser() {}

  /** The plan as the text of {@code plan.json}. */
  public static String toJson(AllocationPlan plan) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json =
        new JsonFactory().createGenerator(text).setPrettyPrinter(new IndentedJson(2))) {
      json.writeStartObject();
      json.writeNumberField(FORMAT_VERSION_KEY, FORMAT_VERSION);
      json.writeStringField(STRATEGY, plan.strategy());
      json.writeNumberField(SEED, plan.seed());
      json.writeNumberField(TOP_K, plan.routing().topK());
      if (!plan.routing().router().equals(RoutingMethod.TOP_K)) {
        json.writeStringField(ROUTING, plan.routing().router());
      }
      json.writeNumberField(ALPHA, plan.alpha());
      json.writeBooleanField(SINGLE_LORA, plan.singleLora());
      if (!plan.backboneDigest().isEmpty()) {
        json.writeStringField(BACKBONE_DIGEST, plan.backboneDigest());
      }
      json.writeArrayFieldStart(MODULES);
      for (ModulePlan module : plan.modules()) {
        write(module, json);
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.append('\n').toString();
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
    int version = json.integer(FORMAT_VERSION_KEY, 1, Integer.MAX_VALUE);
    if (version != FORMAT_VERSION) {
      throw json.refused(
          FORMAT_VERSION_KEY + " is " + version + ", this release reads " + FORMAT_VERSION);
    }
    String strategy = json.text(STRATEGY);
    long seed = json.integer(SEED, Long.MIN_VALUE, Long.MAX_VALUE);
    int topK = json.integer(TOP_K, 1, MAX_EXPERTS);
    String router = json.has(ROUTING) ? json.text(ROUTING) : RoutingMethod.TOP_K;
    double alpha = json.number(ALPHA);
    boolean singleLora = json.flag(SINGLE_LORA, false);
    String backboneDigest = json.has(BACKBONE_DIGEST) ? json.text(BACKBONE_DIGEST) : "";
    List<ModulePlan> modules =
        json.objects(MODULES, MAX_MODULES).stream().map(AllocationPlanParser::read).toList();
    json.end();
    return new AllocationPlan(
        strategy,
        seed,
        new RoutingMethod(router, topK),
        alpha,
        singleLora,
        modules,
        backboneDigest);
  }

  private static void write(ModulePlan plan, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeNumberField(LAYER, plan.module().layer());
    json.writeStringField(MODULE, plan.module().name());
    json.writeNumberField(IN_FEATURES, plan.module().inFeatures());
    json.writeNumberField(OUT_FEATURES, plan.module().outFeatures());
    json.writeFieldName(RANKS);
    int[] ranks = plan.experts().stream().mapToInt(ExpertPlan::rank).toArray();
    json.writeArray(ranks, 0, ranks.length);
    json.writeFieldName(ROUTED_TOKENS);
    long[] routed = plan.experts().stream().mapToLong(ExpertPlan::routedTokens).toArray();
    json.writeArray(routed, 0, routed.length);
    if (!plan.unallocatedRanks().isEmpty()) {
      json.writeFieldName(UNALLOCATED_RANKS);
      int[] unallocated = plan.unallocatedRanks().stream().mapToInt(Integer::intValue).toArray();
      json.writeArray(unallocated, 0, unallocated.length);
    }
    json.writeEndObject();
  }

  private static ModulePlan read(StrictObject json) {
    LinearModule module =
        new LinearModule(
            json.integer(LAYER, 0, MAX_MODULES),
            json.text(MODULE),
            json.integer(IN_FEATURES, 1, MAX_FEATURES),
            json.integer(OUT_FEATURES, 1, MAX_FEATURES));
    List<Long> ranks = json.integers(RANKS, 1, MAX_RANK, MAX_EXPERTS);
    List<Long> routed = json.integers(ROUTED_TOKENS, 0, Long.MAX_VALUE, MAX_EXPERTS);
    List<Long> unallocated = json.integers(UNALLOCATED_RANKS, 1, MAX_RANK, MAX_EXPERTS);
    if (json.has(ROUTED_TOKENS) && routed.size() != ranks.size()) {
      throw json.refused(
          ROUTED_TOKENS + " has " + routed.size() + " entries, " + RANKS + " has " + ranks.size());
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
