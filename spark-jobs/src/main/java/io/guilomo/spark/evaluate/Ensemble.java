package io.guilomo.spark.evaluate;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.EvaluateConfig.MemberWeights;
import io.guilomo.config.EvaluateConfig.Uncertainty;
import io.guilomo.config.EvaluateConfig.UncertaintyConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.inference.Answer;
import io.guilomo.inference.MixedPredictor;
import io.guilomo.inference.Predictor;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.uncertainty.HeadLaplace;
import io.guilomo.uncertainty.Predictive;
import io.guilomo.uncertainty.Probabilities;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The adapters that answer, and how their answers become one; travels to executors.
 *
 * @param sources at least one; all but the first are asked for choices alone
 * @param seed of samples
 */
record Ensemble(List<AdaptedModel.Source> sources, UncertaintyConfig uncertainty, long seed)
    implements Serializable {

  /**
   * @param adapters directories
   * @param first the model of the first of them
   * @throws UserException if they do not belong together, or cannot answer so
   */
  static Ensemble of(
      List<String> adapters, AdaptedModel.Source first, UncertaintyConfig uncertainty)
      throws IOException {
    Ensemble ensemble =
        new Ensemble(new ArrayList<>(List.of(first)), uncertainty, first.options().seed());
    AdapterDescription description = first.description();
    ensemble.requirePossible(description);
    for (String adapter : adapters.subList(1, adapters.size())) {
      AdaptedModel.Source source =
          AdaptedModel.Source.of(adapter, first.backbone(), choices(first), first.workers());
      requireAlike(first.adapter(), description, adapter, source.description());
      ensemble.sources.add(source);
    }
    return ensemble;
  }

  private void requirePossible(AdapterDescription description) {
    Task task = description.task();
    if (uncertainty.method() == Uncertainty.NONE || task == Task.CLASSIFICATION) {
      return;
    }
    if (uncertainty.method().isLaplace()) {
      throw new UserException(
          "Cannot use guilomo.evaluate.uncertainty = %s for %s: it approximates the posterior of a"
              + " classifier's head, and a language model has none; use ensemble",
          uncertainty.method(), task);
    }
    if (!haveProbabilities(task)) {
      throw new UserException(
          "Cannot use guilomo.evaluate.uncertainty = %s for %s with guilomo.evaluate.methods = %s:"
              + " only classes and choices have probabilities to average",
          uncertainty.method(), task, first().options().methods());
    }
  }

  /** Whether answers to a task have probabilities: those of classes and of choices. */
  boolean haveProbabilities(Task task) {
    return task == Task.CLASSIFICATION
        || task == Task.MULTIPLE_CHOICE && first().options().methods().contains(Answer.CHOICES);
  }

  private static void requireAlike(
      String one, AdapterDescription first, String other, AdapterDescription second) {
    if (first.task() != second.task()) {
      throw refused(one, other, "task", first.task(), second.task());
    }
    if (!first.labels().equals(second.labels())) {
      throw refused(
          one, other, "labels", LabelSet.named(first.labels()), LabelSet.named(second.labels()));
    }
    if (!first.backboneDigest().equals(second.backboneDigest())) {
      throw refused(
          one, other, "model with digest", first.backboneDigest(), second.backboneDigest());
    }
  }

  private static UserException refused(
      String one, String other, String what, Object first, Object second) {
    return new UserException(
        "Cannot mix the adapters %s and %s: one has %s %s, the other %s",
        one, other, what, first, second);
  }

  AdaptedModel.Source first() {
    return sources.get(0);
  }

  /** One of them, asked for its choices without an uncertainty method. */
  Ensemble alone(AdaptedModel.Source source) {
    return new Ensemble(List.of(source.with(choices(source))), UncertaintyConfig.NONE, seed);
  }

  /** The options of one, of which choices alone are asked. */
  private static Predictor.Options choices(AdaptedModel.Source source) {
    return new Predictor.Options(
        List.of(Answer.CHOICES), source.options().generation(), source.options().seed());
  }

  /** Opens all of them, to be asked as one. */
  private AdaptedModel open() throws IOException {
    Kernels kernels = first().workers().begin();
    if (uncertainty.method() == Uncertainty.NONE) {
      return AdaptedModel.open(first(), kernels);
    }
    List<AdaptedModel> opened = new ArrayList<>();
    try {
      double[] evidences = new double[sources.size()];
      for (AdaptedModel.Source source : sources) {
        int place = opened.size();
        opened.add(
            AdaptedModel.open(
                source,
                kernels,
                adapter -> {
                  if (!uncertainty.method().isLaplace()) {
                    return Predictive.TRAINED;
                  }
                  HeadLaplace laplace =
                      source.fitted().laplace(adapter.description(), adapter.headFeatures());
                  evidences[place] = laplace.logEvidence();
                  return Predictive.of(laplace, uncertainty.laplaceSamples(), seed);
                }));
      }
      return mixed(opened, evidences);
    } catch (IOException | RuntimeException | Error e) {
      opened.forEach(AdaptedModel::close);
      throw e;
    }
  }

  private AdaptedModel mixed(List<AdaptedModel> opened, double[] evidences) throws IOException {
    double[] weights = new double[opened.size()];
    Arrays.fill(weights, 1.0 / weights.length);
    if (uncertainty.weights() == MemberWeights.EVIDENCE) {
      weights = Probabilities.softmax(evidences);
    }
    AdaptedModel first = opened.get(0);
    List<MixedPredictor.Member> members = new ArrayList<>();
    for (int i = 0; i < weights.length; i++) {
      double temperature = first.labels().isEmpty() ? sources.get(i).fitted().temperature() : 1;
      members.add(new MixedPredictor.Member(opened.get(i).predictor(), temperature, weights[i]));
    }
    return new AdaptedModel(
        first.labels(),
        first.network(),
        first.tokenizer(),
        new MixedPredictor(uncertainty.method().toString(), members),
        opened.subList(1, opened.size()));
  }

  /** Maps elements batch by batch with the models, which are opened only where there are any. */
  <T, R> Iterator<R> map(
      Iterator<T> elements, int batchSize, BiFunction<List<T>, AdaptedModel, List<R>> change)
      throws IOException {
    if (!elements.hasNext()) {
      return List.<R>of().iterator();
    }
    AdaptedModel model = open();
    return new Batches<>(elements, batchSize, batch -> change.apply(batch, model), model.closing());
  }
}
