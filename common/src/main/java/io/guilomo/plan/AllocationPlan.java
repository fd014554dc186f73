package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import io.guilomo.network.ModuleExperts;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How many LoRA experts of which rank every module gets.
 *
 * @param strategy what made the plan: {@code guilomo}, {@code uniform}, …
 * @param seed the seed it was made with: a learned plan depends on it
 * @param topK experts a token goes to; a module with fewer experts uses all it has
 * @param alpha LoRA's α; an expert's output is scaled by {@code α / rank}
 * @param singleLora whether a module may have a single expert, a plain LoRA; otherwise two is the
 *     minimum
 * @param modules one entry a module, in the order of the backbone's {@code linearModules()}
 * @param backboneDigest of the tensors of the backbone that it was learned with; empty where it is
 *     for any backbone with these modules, as a plan is that nothing was learned for
 */
public record AllocationPlan(
    String strategy,
    long seed,
    int topK,
    double alpha,
    boolean singleLora,
    List<ModulePlan> modules,
    String backboneDigest) {

  public AllocationPlan {
    modules = List.copyOf(modules);
    if (strategy == null || strategy.isBlank()) {
      throw new UserException("Cannot make a plan without the name of its strategy");
    }
    if (topK < 1) {
      throw new UserException("Cannot route a token to top-k " + topK + " experts: minimum is 1");
    }
    if (!Double.isFinite(alpha) || alpha <= 0) {
      throw new UserException("Cannot use alpha " + alpha + ": it must be positive and finite");
    }
    if (modules.isEmpty()) {
      throw new UserException("Cannot make a plan for 0 modules");
    }
    Set<String> seen = new HashSet<>();
    for (ModulePlan plan : modules) {
      if (!seen.add(plan.module().layer() + " " + plan.module().name())) {
        throw new UserException("Cannot plan " + plan.module() + " twice");
      }
      if (plan.experts().size() < 2 && !singleLora) {
        throw new UserException("Cannot allocate 1 expert to " + plan.module() + ": minimum is 2");
      }
    }
  }

  /** A plan for any backbone with these modules. */
  public AllocationPlan(
      String strategy,
      long seed,
      int topK,
      double alpha,
      boolean singleLora,
      List<ModulePlan> modules) {
    this(strategy, seed, topK, alpha, singleLora, modules, "");
  }

  /** The same, learned with the backbone of this digest. */
  public AllocationPlan learnedWith(String digest) {
    return new AllocationPlan(strategy, seed, topK, alpha, singleLora, modules, digest);
  }

  /**
   * The plan of one module.
   *
   * @throws UserException if the plan has none, or one of another shape
   */
  public ModulePlan module(LinearModule module) {
    for (ModulePlan plan : modules) {
      LinearModule planned = plan.module();
      if (planned.layer() == module.layer() && planned.name().equals(module.name())) {
        if (!planned.equals(module)) {
          throw new UserException(
              String.format(
                  "Cannot use the plan for %s: it has %d×%d features, the plan says %d×%d",
                  module,
                  module.inFeatures(),
                  module.outFeatures(),
                  planned.inFeatures(),
                  planned.outFeatures()));
        }
        return plan;
      }
    }
    throw new UserException("Cannot find " + module + " in the plan");
  }

  /** Experts of a module. */
  public int experts(LinearModule module) {
    return module(module).experts().size();
  }

  /** Rank of a module's expert, from 0. */
  public int rank(LinearModule module, int expert) {
    List<ExpertPlan> experts = module(module).experts();
    if (expert < 0 || expert >= experts.size()) {
      throw new UserException(
          "Cannot find expert " + expert + " of " + module + ": it has " + experts.size());
    }
    return experts.get(expert).rank();
  }

  /** {@code s_e = α / r_e}: each expert has its own. */
  public double scaling(LinearModule module, int expert) {
    return alpha / rank(module, expert);
  }

  /** Experts a token goes to in this module: {@code top-k}, or all where there are fewer. */
  public int topK(LinearModule module) {
    return Math.min(topK, experts(module));
  }

  /** Trainable parameters of a module. */
  public long parameters(LinearModule module) {
    return module(module).parameters();
  }

  /** Trainable parameters of all modules: {@code Σ_modules [ Σ_e r_e (in + out) + E · in ]}. */
  public long parameters() {
    return modules.stream().mapToLong(ModulePlan::parameters).sum();
  }

  /** What the modules of the planned network carry, in the plan's order. */
  public List<ModuleExperts> moduleExperts() {
    return modules.stream()
        .map(
            plan ->
                ModuleExperts.of(
                    plan.module(),
                    plan.experts().stream().map(ExpertPlan::rank).toList(),
                    alpha,
                    topK))
        .toList();
  }

  /** Experts of all modules. */
  public long totalExperts() {
    return modules.stream().mapToLong(plan -> plan.experts().size()).sum();
  }

  /** Ranks of all experts of all modules, added up. */
  public long totalRank() {
    return modules.stream().mapToLong(ModulePlan::totalRank).sum();
  }
}
