package io.guilomo.spark.search;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.StrictObject;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * For how long the plan that is read off a search has stayed as it is. Plans are compared with the
 * last one that counted as another, so that many small changes add up to one that counts.
 *
 * @param ranks of all candidate experts in that plan, 0 of those that it leaves out; empty before
 *     the first plan
 * @param change share of the ranks that the newest plan and that one do not have in common (Bray
 *     and Curtis 1957): {@code 1 − 2 Σ min(r, r') / Σ (r + r')}
 * @param rounds in which the plan has been the same
 */
record PlanStability(List<Long> ranks, double change, long rounds) {

  private static final int MAX_RANKS = 1 << 24;

  static final PlanStability NONE = new PlanStability(List.of(), 0, 0);

  PlanStability {
    ranks = List.copyOf(ranks);
  }

  /** Where a search starts. */
  static PlanStability of(AllocationPlan plan) {
    return new PlanStability(ranks(plan), 0, 0);
  }

  /**
   * After another round.
   *
   * @param tolerance largest change that does not count
   * @param counts whether the round counts if the plan is the same
   */
  PlanStability after(AllocationPlan plan, double tolerance, boolean counts) {
    List<Long> now = ranks(plan);
    double distance = ranks.isEmpty() ? 1 : distance(ranks, now);
    return counts && distance <= tolerance
        ? new PlanStability(ranks, distance, rounds + 1)
        : new PlanStability(now, distance, 0);
  }

  private static double distance(List<Long> one, List<Long> other) {
    long common = 0;
    long all = 0;
    for (int i = 0; i < one.size(); i++) {
      common += Math.min(one.get(i), other.get(i));
      all += one.get(i) + other.get(i);
    }
    return (double) (all - 2 * common) / all;
  }

  private static List<Long> ranks(AllocationPlan plan) {
    List<Long> ranks = new ArrayList<>();
    for (ModulePlan module : plan.modules()) {
      module.experts().stream().mapToLong(ExpertPlan::rank).forEach(ranks::add);
      ranks.addAll(Collections.nCopies(module.unallocatedRanks().size(), 0L));
    }
    return ranks;
  }

  /** JSON from which {@link #fromJson} reads the same values, bit for bit. */
  ObjectNode toJson() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    ArrayNode array = json.putArray("ranks");
    ranks.forEach(array::add);
    return json.put("change", change).put("rounds", rounds);
  }

  static PlanStability fromJson(StrictObject json) {
    PlanStability stability =
        new PlanStability(
            json.integers("ranks", 0, Integer.MAX_VALUE, MAX_RANKS),
            json.number("change"),
            json.integer("rounds", 0, Long.MAX_VALUE));
    json.end();
    return stability;
  }
}
