package io.guilomo.config;

import io.guilomo.model.ConstantName;
import io.guilomo.model.RecordSource;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.List;

/**
 * Scoring and prediction; {@code guilomo.evaluate}.
 *
 * @param records where the records to score or predict are; blank if not given
 * @param adapter directory of the adapter; empty: the best adapter of the run
 * @param batchSize records per batch
 * @param methods how language models are scored: {@code generation}, {@code choices}, {@code text}
 * @param confidence confidence level of the intervals
 * @param bootstrapSamples bootstrap samples per interval
 * @param uncertainty how probabilities say what the model does not know
 */
public record EvaluateConfig(
    RecordSource records,
    String adapter,
    int batchSize,
    List<String> methods,
    double confidence,
    int bootstrapSamples,
    UncertaintyConfig uncertainty) {

  /** What the probabilities of answers are made of. */
  public enum Uncertainty {
    /** A single adapter. */
    NONE,
    /** The mean over several adapters (arXiv 1612.01474). */
    ENSEMBLE,
    /** One adapter and the weights of its head that are as likely (arXiv 2106.14806). */
    LAPLACE,
    /** The mean of those of several adapters (arXiv 2111.03577). */
    LAPLACE_MIXTURE;

    /** Whether the posterior of a head is approximated. */
    public boolean isLaplace() {
      return this == LAPLACE || this == LAPLACE_MIXTURE;
    }

    /** Whether several adapters may answer. */
    public boolean isMixture() {
      return this == ENSEMBLE || this == LAPLACE_MIXTURE;
    }

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  /** How much each of several adapters counts. */
  public enum MemberWeights {
    UNIFORM,
    /** As likely as it makes the training records. */
    EVIDENCE;

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  /**
   * How probabilities say what the model does not know.
   *
   * @param method what the probabilities are made of
   * @param adapters directories of those that answer; empty: the adapters of the run, or {@code
   *     adapter}
   * @param laplaceSamples of logits whose probabilities are averaged; 0: a closed approximation
   * @param outOfDomain path of records unlike those of the training; empty: none
   */
  public record UncertaintyConfig(
      Uncertainty method,
      List<String> adapters,
      MemberWeights weights,
      int laplaceSamples,
      String outOfDomain)
      implements Serializable {

    /** A single adapter answers, and nothing is asked of its confidence. */
    public static final UncertaintyConfig NONE =
        new UncertaintyConfig(Uncertainty.NONE, List.of(), MemberWeights.UNIFORM, 0, "");

    /** Whether figures of the confidence are wanted. */
    public boolean isAsked() {
      return method != Uncertainty.NONE || !outOfDomain.isBlank();
    }

    private static UncertaintyConfig of(ConfigSection section) {
      UncertaintyConfig uncertainty =
          new UncertaintyConfig(
              section.oneOf("uncertainty", Uncertainty.class),
              section.texts("adapters"),
              section.oneOf("member-weights", MemberWeights.class),
              section.whole("laplace-samples", 0),
              section.text("out-of-domain"));
      if (!uncertainty.adapters.isEmpty() && uncertainty.method == Uncertainty.NONE) {
        throw section.refuse(
            "adapters",
            "with evaluate.uncertainty = none one adapter answers; name it in evaluate.adapter, or"
                + " set evaluate.uncertainty");
      }
      if (!uncertainty.adapters.isEmpty() && !section.text("adapter").isBlank()) {
        throw section.refuse("adapters", "evaluate.adapter names one as well; keep one of the two");
      }
      if (uncertainty.adapters.size() > 1 && uncertainty.method == Uncertainty.LAPLACE) {
        throw section.refuse(
            "adapters",
            "with evaluate.uncertainty = laplace one adapter answers; name one, or set"
                + " evaluate.uncertainty = laplace-mixture");
      }
      if (uncertainty.weights == MemberWeights.EVIDENCE
          && uncertainty.method != Uncertainty.LAPLACE_MIXTURE) {
        throw section.refuse(
            "member-weights", "only evaluate.uncertainty = laplace-mixture knows the evidence");
      }
      return uncertainty;
    }
  }

  private static final List<String> METHODS = List.of("generation", "choices", "text");

  static EvaluateConfig of(ConfigSection section) {
    List<String> methods = section.texts("methods");
    if (methods.isEmpty() || !METHODS.containsAll(methods)) {
      throw section.refuse("methods", "must be some of " + String.join(", ", METHODS));
    }
    return new EvaluateConfig(
        section.records("data", "table", "query"),
        section.text("adapter"),
        section.whole("batch-size", 1),
        methods,
        section.fraction("confidence"),
        section.whole("bootstrap-samples", 1),
        UncertaintyConfig.of(section));
  }

  /** Path of the records; blank if they are no files. */
  public String data() {
    return records.isPath() ? records.text() : "";
  }

  /**
   * @throws UserException if there are none
   */
  public RecordSource requireData() {
    if (records.isBlank()) {
      throw new UserException(
          "Cannot run without records: set guilomo.evaluate.data, evaluate.table or"
              + " evaluate.query");
    }
    return records;
  }
}
