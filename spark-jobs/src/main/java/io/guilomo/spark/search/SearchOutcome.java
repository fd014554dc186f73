package io.guilomo.spark.search;

import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.round.ValidationResult;

/**
 * What a search ended with.
 *
 * @param initial the plan of the random initial GSVs, without a budget
 * @param plan the learned plan, within the budget
 * @param before over the validation records, before the first step
 * @param after over the validation records, after the last
 * @param backboneDigest of the backbone that the executors loaded
 */
public record SearchOutcome(
    AllocationPlan initial,
    AllocationPlan plan,
    ValidationResult before,
    ValidationResult after,
    String backboneDigest) {}
