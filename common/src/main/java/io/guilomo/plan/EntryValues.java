package io.guilomo.plan;

/** Value of each entry of a plan: the entries of least value are given up to meet a budget. */
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
