package io.guilomo.spark.job;

import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.training.ValidationLoss;

/**
 * What a search ended with.
 *
 * @param initial the plan of the random GSVs that it began with, without a budget
 * @param plan the plan it learned, within the budget
 * @param before over the validation records, before the first step
 * @param after over the validation records, after the last
 * @param backboneDigest of the backbone that the executors loaded
 */
public record SearchOutcome(
    AllocationPlan initial,
    AllocationPlan plan,
    ValidationLoss.Measured before,
    ValidationLoss.Measured after,
    String backboneDigest) {}
