package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * What the candidates of one module are worth. As the planned model is trained anew, candidates are
 * exchangeable: only how many there are and of which ranks is allocated.
 *
 * @param experts the most valuable first
 */
record CandidateValues(LinearModule module, List<Expert> experts) {

  /**
   * One candidate.
   *
   * @param own value of having the expert, beside that of its ranks: of its row of the router
   * @param ranks value of each rank, the one to keep longest first
   */
  record Expert(double own, double[] ranks, long routedTokens) {

    /**
     * @param whole value of the expert with all of its ranks, from which they may differ in sum
     * @param ranks in any order
     */
    static Expert of(double whole, double[] ranks, long routedTokens) {
      double[] sorted = ranks.clone();
      Arrays.sort(sorted);
      for (int i = 0; i < sorted.length / 2; i++) {
        double value = sorted[i];
        sorted[i] = sorted[sorted.length - 1 - i];
        sorted[sorted.length - 1 - i] = value;
      }
      return new Expert(whole - Arrays.stream(ranks).sum(), sorted, routedTokens);
    }

    /** With all of its ranks. */
    double whole() {
      return own + Arrays.stream(ranks).sum();
    }
  }

  CandidateValues {
    for (Expert expert : experts) {
      if (!Double.isFinite(expert.whole())) {
        throw new UserException(
            "Cannot allocate %s: the value of an expert is %s", module, expert.whole());
      }
    }
    experts =
        experts.stream().sorted(Comparator.comparingDouble((Expert e) -> -e.whole())).toList();
  }
}
