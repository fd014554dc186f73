package io.guilomo.metric;

import java.util.Comparator;
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
  LOSS("loss"),

  /** How far confidence and accuracy are apart: {@link Reliability#error}. */
  CALIBRATION_ERROR("calibration-error"),

  /** Accuracy on the half of the records with the highest confidence. */
  ACCURACY_AT_50("accuracy-at-50", 0.5),

  ACCURACY_AT_80("accuracy-at-80", 0.8),

  ACCURACY_AT_90("accuracy-at-90", 0.9),

  /**
   * How well confidence tells records of class 1 from those of class 0: the area under the receiver
   * operating characteristic, which is the probability that one of class 1 has the higher
   * confidence, ties counting half; 1/2 where a class is missing.
   */
  SEPARATION("out-of-domain-auroc");

  /** Those of how well classes are told apart. */
  public static final List<Metric> OF_CLASSES = List.of(ACCURACY, MATTHEWS, F1, LOSS);

  /** Those of how well confidence says which answers are right. */
  public static final List<Metric> OF_CONFIDENCE =
      List.of(CALIBRATION_ERROR, ACCURACY_AT_50, ACCURACY_AT_80, ACCURACY_AT_90);

  private final String label;
  private final double coverage;

  Metric(String label) {
    this(label, 1);
  }

  Metric(String label, double coverage) {
    this.label = label;
    this.coverage = coverage;
  }

  public String label() {
    return label;
  }

  /**
   * Whether the fewer the records, the higher the value on average: in a calibration error the
   * noise of a bin counts as a distance, whichever its sign. No value is below 0.
   */
  boolean raisedByNoise() {
    return this == CALIBRATION_ERROR;
  }

  /**
   * @param classes number of classes of the task; those of every record must be below
   */
  public double of(List<Scored> records, int classes) {
    if (records.isEmpty()) {
      throw new IllegalArgumentException("Cannot compute " + label + " of no records");
    }
    return switch (this) {
      case ACCURACY -> accuracy(records);
      case MATTHEWS -> new Confusion(records, classes).matthews();
      case F1 -> {
        Confusion confusion = new Confusion(records, classes);
        yield classes == 2 ? confusion.f1(1) : confusion.macroF1();
      }
      case LOSS -> records.stream().mapToDouble(Scored::loss).sum() / records.size();
      case CALIBRATION_ERROR -> Reliability.error(records);
      case ACCURACY_AT_50, ACCURACY_AT_80, ACCURACY_AT_90 -> accuracy(mostCertain(records));
      case SEPARATION -> separation(records);
    };
  }

  private static double accuracy(List<Scored> records) {
    return (double) records.stream().filter(Scored::correct).count() / records.size();
  }

  /** The covered share of the records, rounded up; of equal confidence the first. */
  private List<Scored> mostCertain(List<Scored> records) {
    return records.stream()
        .sorted(Comparator.comparingDouble(Scored::confidence).reversed())
        .limit((long) Math.ceil(coverage * records.size()))
        .toList();
  }

  /** By the ranks of class 1 among all, as Mann and Whitney's U. */
  private static double separation(List<Scored> records) {
    List<Scored> ascending =
        records.stream().sorted(Comparator.comparingDouble(Scored::confidence)).toList();
    double ranks = 0;
    long inside = 0;
    for (int from = 0, to; from < ascending.size(); from = to) {
      to = from;
      long tied = 0;
      while (to < ascending.size()
          // NaN equals itself here.
          && Double.compare(ascending.get(to).confidence(), ascending.get(from).confidence())
              == 0) {
        tied += ascending.get(to++).gold();
      }
      ranks += tied * (from + 1 + to) / 2.0;
      inside += tied;
    }
    long outside = ascending.size() - inside;
    return inside == 0 || outside == 0
        ? 0.5
        : (ranks - inside * (inside + 1) / 2.0) / inside / outside;
  }
}
