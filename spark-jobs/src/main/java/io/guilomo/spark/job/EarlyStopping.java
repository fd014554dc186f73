package io.guilomo.spark.job;

/** Tells when the validation loss has stopped falling. */
final class EarlyStopping {

  private final int patience;
  private double best = Double.POSITIVE_INFINITY;
  private int withoutBetter;

  /**
   * @param patience validations without a better loss that are put up with; 0: any number
   */
  EarlyStopping(int patience) {
    this.patience = patience;
  }

  /**
   * Takes note of a validation loss.
   *
   * @return whether it is lower than all before; the first always is
   */
  boolean add(double loss) {
    boolean better = loss < best;
    best = better ? loss : best;
    withoutBetter = better ? 0 : withoutBetter + 1;
    return better;
  }

  boolean stops() {
    return patience > 0 && withoutBetter >= patience;
  }
}
