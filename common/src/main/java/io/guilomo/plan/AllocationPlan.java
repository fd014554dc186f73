package io.guilomo.plan;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import io.guilomo.network.moe.Mixture;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The number of LoRA experts of each module, and their ranks.
 *
 * @param strategy that made the plan: {@code guilomo}, {@code uniform}, …
 * @param seed of the strategy; a learned plan depends on it
 * @param form of all experts
 * @param singleLora whether a module may have a single expert, a plain LoRA; the minimum is two
 *     otherwise
 * @param modules one entry per module, in the order of the backbone's {@code linearModules()}
 * @param backboneDigest of the tensors of the backbone that it was learned with; empty if nothing
 *     was learned, so that it fits any backbone with these modules
 */
public record AllocationPlan(
    String strategy,
    long seed,
    ExpertForm form,
    boolean singleLora,
    List<ModulePlan> modules,
    String backboneDigest) {

  public AllocationPlan {
    modules = List.copyOf(modules);
    if (strategy == null || strategy.isBlank()) {
      throw new UserException("Cannot make a plan without the name of its strategy");
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
      String strategy, long seed, ExpertForm form, boolean singleLora, List<ModulePlan> modules) {
    this(strategy, seed, form, singleLora, modules, "");
  }

  /**
   * A plan for any backbone with these modules, each expert scaled by {@code alpha / rank}; they
   * share nothing.
   */
  public AllocationPlan(
      String strategy,
      long seed,
      RoutingMethod routing,
      double alpha,
      boolean singleLora,
      List<ModulePlan> modules) {
    this(strategy, seed, new ExpertForm(routing, Scaling.overRank(alpha)), singleLora, modules);
  }

  /** What a strategy chose of candidates: a module has a single expert where it has no other. */
  static AllocationPlan chosen(
      String strategy, long seed, ExpertForm form, List<ModulePlan> modules) {
    boolean single = modules.stream().anyMatch(plan -> plan.experts().size() == 1);
    return new AllocationPlan(strategy, seed, form, single, modules);
  }

  /** The same, learned with the backbone of this digest. */
  public AllocationPlan learnedWith(String digest) {
    return new AllocationPlan(strategy, seed, form, singleLora, modules, digest);
  }

  /** The same with other allocations of the modules. */
  AllocationPlan with(List<ModulePlan> others) {
    return new AllocationPlan(strategy, seed, form, singleLora, others, backboneDigest);
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
              "Cannot use the plan for %s: it has %d×%d features, the plan says %d×%d",
              module,
              module.inFeatures(),
              module.outFeatures(),
              planned.inFeatures(),
              planned.outFeatures());
        }
        return plan;
      }
    }
    throw new UserException("Cannot find " + module + " in the plan");
  }

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

  /** How tokens are routed to the experts. */
  public RoutingMethod routing() {
    return form.routing();
  }

  /** What the experts of a module share. */
  public Sharing sharing() {
    return form.sharing();
  }

  /** How an expert's output is scaled by its rank. */
  public Scaling scaling() {
    return form.scaling();
  }

  /** LoRA's α. */
  public double alpha() {
    return scaling().alpha();
  }

  /** {@code s_e}: each expert has its own. */
  public double scaling(LinearModule module, int expert) {
    return scaling().of(rank(module, expert));
  }

  /** Experts a token uses in this module, as {@link RoutingMethod#used} says. */
  public int topK(LinearModule module) {
    return routing().used(experts(module));
  }

  public long parameters(LinearModule module) {
    return parameters(module(module));
  }

  /**
   * Trainable parameters of all modules: {@code Σ_modules [ Σ_e r_e (in + out) + E · in ]}, or what
   * {@link Sharing} makes of it, and what the routers have beside {@code E · in}, of their own or
   * together.
   */
  public long parameters() {
    return modules.stream().mapToLong(this::parameters).sum()
        + Mixture.sharedParameterCount(moduleExperts());
  }

  private long parameters(ModulePlan plan) {
    return plan.parameters(sharing()) + Mixture.ownParameters(moduleExperts(plan));
  }

  private ModuleExperts moduleExperts(ModulePlan plan) {
    return ModuleExperts.of(plan.module(), plan.ranks(), form);
  }

  /** The experts of the planned network's modules, in the plan's order. */
  public List<ModuleExperts> moduleExperts() {
    return modules.stream().map(this::moduleExperts).toList();
  }

  public long totalExperts() {
    return modules.stream().mapToLong(plan -> plan.experts().size()).sum();
  }

  /** Ranks of all experts of all modules, added up. */
  public long totalRank() {
    return modules.stream().mapToLong(ModulePlan::totalRank).sum();
  }
}
