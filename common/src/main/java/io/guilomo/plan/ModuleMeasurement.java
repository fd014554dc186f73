package io.guilomo.plan;

import io.guilomo.model.LinearModule;
import java.util.Arrays;
import java.util.List;

/**
 * What the short training of all candidates showed of one module.
 *
 * @param experts in the order of the router's rows
 */
public record ModuleMeasurement(LinearModule module, List<Expert> experts) {

  /**
   * One candidate expert. Gradients are those of the validation loss by the masks where all of them
   * are full; see {@code Stage.MEASURING}.
   *
   * @param routedTokens (token, slot) pairs that were routed to it
   * @param gradient {@code E[∂L/∂m_e]}
   * @param square {@code E[(∂L/∂m_e)²]} over batches
   * @param energies squared singular values of {@code B_e A_e} at the end, descending, {@code [r]}
   * @param rankGradients {@code E[∂L/∂n_{e,i}]}, {@code [r]}
   * @param rankSquares {@code E[(∂L/∂n_{e,i})²]} over batches, {@code [r]}
   */
  public record Expert(
      long routedTokens,
      double gradient,
      double square,
      double[] energies,
      double[] rankGradients,
      double[] rankSquares) {

    @Override
    public boolean equals(Object other) {
      return other instanceof Expert that
          && routedTokens == that.routedTokens
          && gradient == that.gradient
          && square == that.square
          && Arrays.equals(energies, that.energies)
          && Arrays.equals(rankGradients, that.rankGradients)
          && Arrays.equals(rankSquares, that.rankSquares);
    }

    @Override
    public int hashCode() {
      return Double.hashCode(gradient) + 31 * Arrays.hashCode(rankGradients);
    }
  }

  public ModuleMeasurement {
    experts = List.copyOf(experts);
  }

  /** (token, slot) pairs of all experts. */
  long routedTokens() {
    return experts.stream().mapToLong(Expert::routedTokens).sum();
  }
}
