package io.guilomo.metric;

import java.util.List;

/** Numbers that say how well records were answered. */
public enum Metric {
  /** Share of right answers. */
  ACCURACY("accuracy"),

  /**
   * Matthews' correlation coefficient, for any number of classes (R_K of Gorodkin, Computational
   * Biology and Chemistry 28, 2004); 0 where all answers or all right ones are of one class. No
   * answer is a class of its own.
   */
  MATTHEWS("matthews-correlation"),

  /**
   * Harmonic mean of precision and recall: with two classes that of class 1, with more the mean
   * over the classes that occur among answers or right ones.
   */
  F1("f1"),

  /** Mean loss of the right answer. */
  LOSS("loss");

  private final String label;

  Metric(String label) {
    this.label = label;
  }

  /** The name that tables use. */
  public String label() {
    return label;
  }

  /**
   * @param classes that the task has; every record's are below
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
