package io.guilomo.metric;

import java.util.List;

/** Metrics of how well records were answered. */
public enum Metric {
  /** Fraction of correct answers. */
  ACCURACY("accuracy"),

  /**
   * Matthews' correlation coefficient, for any number of classes (R_K of Gorodkin, Computational
   * Biology and Chemistry 28, 2004); 0 if all answers or all correct ones are of one class. A
   * missing answer counts as a class of its own.
   */
  MATTHEWS("matthews-correlation"),

  /**
   * Harmonic mean of precision and recall: of class 1 if there are two classes; otherwise the mean
   * over the classes that occur among the given or the correct answers.
   */
  F1("f1"),

  /** Mean loss of the correct answer. */
  LOSS("loss");

  private final String label;

  Metric(String label) {
    this.label = label;
  }

  public String label() {
    return label;
  }

  /**
   * @param classes number of classes of the task; those of every record must be below
   */
  public double of(List<Scored> records, int classes) {
    if (records.isEmpty()) {
      throw new IllegalArgumentException("Cannot compute " + label + " of no records");
    }
    return switch (this) {
      case ACCURACY -> (double) records.stream().filter(Scored::correct).count() / records.size();
      case MATTHEWS -> new Confusion(records, classes).matthews();
      case F1 -> {
        Confusion confusion = new Confusion(records, classes);
        yield classes == 2 ? confusion.f1(1) : confusion.macroF1();
      }
      case LOSS -> records.stream().mapToDouble(Scored::loss).sum() / records.size();
    };
  }
}
