package io.guilomo.inference;

import io.guilomo.data.TextRecord;
import io.guilomo.metric.Scored;
import io.guilomo.uncertainty.Probabilities;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Several models that answer as one: with the weighted mean of their probabilities (arXiv
 * 1612.01474; of Laplace approximations arXiv 2111.03577), where all of them have some. Everything
 * else is what the first answers, among it the scores of that model alone.
 */
public final class MixedPredictor implements Predictor {

  /**
   * A model.
   *
   * @param temperature at which its probabilities are taken; 1: as they are
   * @param weight of them; those of all models sum to 1
   */
  public record Member(Predictor predictor, double temperature, double weight) {}

  private final String method;
  private final List<Member> members;

  /**
   * @param method that names the scores of the mixture
   */
  public MixedPredictor(String method, List<Member> members) {
    this.method = method;
    this.members = List.copyOf(members);
  }

  @Override
  public Optional<String> refusal(TextRecord record) {
    return members.stream()
        .map(member -> member.predictor().refusal(record))
        .flatMap(Optional::stream)
        .findFirst();
  }

  @Override
  public List<Answer> answer(List<TextRecord> records) {
    List<List<Answer>> all =
        members.stream().map(member -> member.predictor().answer(records)).toList();
    List<Answer> mixed = new ArrayList<>();
    for (int i = 0; i < records.size(); i++) {
      int record = i;
      mixed.add(mixed(all.stream().map(answers -> answers.get(record)).toList()));
    }
    return mixed;
  }

  private Answer mixed(List<Answer> answers) {
    Answer first = answers.get(0);
    if (first.probabilities() == null) {
      return first;
    }
    if (answers.stream().anyMatch(answer -> answer.probabilities() == null)) {
      return without(first);
    }
    List<String> names = List.copyOf(first.probabilities().keySet());
    double[] mixture = new double[names.size()];
    for (int m = 0; m < members.size(); m++) {
      Map<String, Double> own = answers.get(m).probabilities();
      double[] probabilities = names.stream().mapToDouble(own::get).toArray();
      double temperature = members.get(m).temperature();
      if (temperature != 1) {
        probabilities = Probabilities.tempered(probabilities, temperature);
      }
      for (int c = 0; c < mixture.length; c++) {
        mixture[c] += members.get(m).weight() * probabilities[c];
      }
    }
    Map<String, Double> byName = new LinkedHashMap<>();
    for (int c = 0; c < mixture.length; c++) {
      byName.put(names.get(c), mixture[c]);
    }
    int best = Probabilities.largest(mixture);
    Map<String, Scored> scores = new HashMap<>(first.scores());
    alone(first).ifPresent(scored -> scores.put(method, Scored.of(mixture, scored.gold())));
    Map<String, Double> confidences = new HashMap<>(first.confidences());
    confidences.put(method, mixture[best]);
    return new Answer(
        names.get(best), byName, first.generated(), scores, confidences, first.responseLoss());
  }

  /** An answer without what all of the adapters were to give. */
  private static Answer without(Answer answer) {
    Map<String, Scored> scores = new HashMap<>(answer.scores());
    scores.keySet().removeAll(answer.confidences().keySet());
    return new Answer(null, null, answer.generated(), scores, Map.of(), answer.responseLoss());
  }

  /** The score of the answer that has probabilities. */
  private static Optional<Scored> alone(Answer answer) {
    return Optional.ofNullable(
        answer.scores().getOrDefault(Answer.CLASSIFICATION, answer.scores().get(Answer.CHOICES)));
  }
}
