package io.guilomo.spark.compare;

import io.guilomo.plan.AllocationPlan;

/**
 * The plan of a trial.
 *
 * @param path of its file
 * @param searchRun the run that searched for it; empty if nothing was searched
 */
record Planned(Trial trial, AllocationPlan plan, String path, String searchRun) {}
