package io.guilomo.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.io.IndentedJson;
import io.guilomo.io.StrictObject;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.UserException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The two files of the released GuiLoMo code (github.com/Liar406/Gui-LoMo), byte for byte for
 * LLaMA, which it knows; plans for other families are written alike. {@code rank.json} maps {@code
 * PATH.expertlora_E_vector_{e}} to the rank of every candidate expert, {@code expert.json} maps
 * {@code PATH} to the number of experts. Neither holds α, top-k, the seed or a module's shape.
 *
 * @param paths of the modules, and their order; reading takes any order
 */
public record ReleasedPlanFormat(ModulePaths paths) {
  private static final String RANK_SUFFIX = ".expertlora_E_vector_";

  /**
   * The text of {@code rank.json}: allocated experts, then the candidates that were not allocated.
   */
  public String rankJson(AllocationPlan plan) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    for (ModulePlan module : sorted(plan.modules())) {
      String prefix = paths.inPlan(module.module()) + RANK_SUFFIX;
      int expert = 0;
      for (ExpertPlan allocated : module.experts()) {
        ranks.put(prefix + expert++, allocated.rank());
      }
      for (int rank : module.unallocatedRanks()) {
        ranks.put(prefix + expert++, rank);
      }
    }
    return json(ranks);
  }

  /** The text of {@code expert.json}. */
  public String expertJson(AllocationPlan plan) {
    Map<String, Integer> experts = new LinkedHashMap<>();
    for (ModulePlan module : sorted(plan.modules())) {
      experts.put(paths.inPlan(module.module()), module.experts().size());
    }
    return json(experts);
  }

  /**
   * The plan in the two texts.
   *
   * @param modules the modules of the backbone that carry experts; the texts must name each of them
   *     and no other
   * @param strategy that the plan names, as the texts do not contain it
   * @param form as the texts do not contain it either
   * @throws UserException if a text is no such file or does not fit the modules
   */
  public AllocationPlan read(
      String rankJson,
      String expertJson,
      List<LinearModule> modules,
      String strategy,
      ExpertForm form) {
    StrictObject ranks = StrictObject.parse("rank.json", rankJson);
    StrictObject experts = StrictObject.parse("expert.json", expertJson);
    List<ModulePlan> plans = new ArrayList<>();
    boolean single = false;
    for (LinearModule module : modules) {
      String path = paths.inPlan(module);
      int allocated = experts.integer(path, 1, AllocationPlanParser.MAX_EXPERTS);
      List<ExpertPlan> candidates = new ArrayList<>();
      for (int e = 0; e < allocated || ranks.has(path + RANK_SUFFIX + e); e++) {
        int rank = ranks.integer(path + RANK_SUFFIX + e, 1, AllocationPlanParser.MAX_RANK);
        candidates.add(ExpertPlan.ofRank(rank));
      }
      single |= allocated == 1;
      plans.add(ModulePlan.of(module, candidates, allocated));
    }
    ranks.end();
    experts.end();
    return new AllocationPlan(strategy, 0, form, single, plans);
  }

  private List<ModulePlan> sorted(List<ModulePlan> modules) {
    Comparator<ModulePlan> byLayer = Comparator.comparingInt(plan -> plan.module().layer());
    return modules.stream()
        .sorted(byLayer.thenComparingInt(plan -> paths.order(plan.module())))
        .toList();
  }

  private static String json(Map<String, Integer> entries) {
    try {
      return new ObjectMapper().writer(new IndentedJson(4)).writeValueAsString(entries);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }
}
