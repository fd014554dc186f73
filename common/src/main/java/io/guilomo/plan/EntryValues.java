package io.guilomo.plan;

/** How much each entry of a plan is worth: which is given up first where not all fit a budget. */
interface EntryValues {

  /**
   * Of an expert.
   *
   * @param module position in the plan
   */
  double expert(int module, int expert);

  /**
   * Of one rank of an expert.
   *
   * @param index rank − 1
   */
  double rank(int module, int expert, int index);
}
