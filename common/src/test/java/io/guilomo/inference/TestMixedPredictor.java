package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.data.TextRecord;
import io.guilomo.inference.MixedPredictor.Member;
import io.guilomo.metric.Scored;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TestMixedPredictor {

  private static final TextRecord RECORD = new TextRecord.Sentence("We left.", "yes");

  @Test
  void probabilitiesAreWeightedMeans() {
    Predictor mixed =
        new MixedPredictor(
            "ensemble",
            List.of(
                new Member(answering(0.8, 0.2), 1, 0.75),
                new Member(answering(0.4, 0.6), 1, 0.25)));
    Answer answer = mixed.answer(List.of(RECORD)).get(0);
    assertThat(answer.prediction()).isEqualTo("no");
    assertThat(answer.probabilities().get("yes")).isCloseTo(0.3, within(1e-12));
    assertThat(answer.confidences().get("ensemble")).isCloseTo(0.7, within(1e-12));
    assertThat(answer.scores())
        .containsEntry(Answer.CLASSIFICATION, Scored.of(new double[] {0.8, 0.2}, 1))
        .containsKey("ensemble");
    assertThat(answer.scores().get("ensemble").loss()).isCloseTo(-Math.log(0.3), within(1e-12));
    assertThat(answer.confidences()).containsEntry(Answer.CLASSIFICATION, 0.8);
  }

  @Test
  void temperaturesComeBeforeTheMean() {
    Predictor mixed =
        new MixedPredictor("ensemble", List.of(new Member(answering(0.9, 0.1), 2, 1)));
    assertThat(mixed.answer(List.of(RECORD)).get(0).probabilities().get("yes"))
        .isCloseTo(0.25, within(1e-12));
  }

  @Test
  void answersWithoutProbabilitiesAreTheFirsts() {
    Answer generated = new Answer("4", null, "It is 4.", Map.of(), Map.of(), 0.5);
    Predictor first = records -> List.of(generated);
    Predictor mixed =
        new MixedPredictor(
            "ensemble", List.of(new Member(first, 1, 0.5), new Member(answering(1, 0), 1, 0.5)));
    assertThat(mixed.answer(List.of(RECORD))).containsExactly(generated);
  }

  /** A question may be too long with the template of one member only. */
  @Test
  void oneWithoutProbabilitiesLeavesNone() {
    Map<String, Double> probabilities = Map.of("A", 0.75, "B", 0.25);
    Scored chosen = Scored.of(new double[] {0.75, 0.25}, 0);
    Scored generated = new Scored(0, 1, Double.NaN);
    Answer first =
        new Answer(
            "A",
            probabilities,
            "It is B.",
            Map.of(Answer.CHOICES, chosen, Answer.GENERATION, generated),
            Map.of(Answer.CHOICES, 0.75),
            0.5);
    Answer none = new Answer(null, null, null, Map.of(), Map.of(), Double.NaN);
    Predictor mixed =
        new MixedPredictor(
            "ensemble",
            List.of(
                new Member(records -> List.of(first), 1, 0.5),
                new Member(records -> List.of(none), 1, 0.5)));
    assertThat(mixed.answer(List.of(RECORD)))
        .containsExactly(
            new Answer(
                null, null, "It is B.", Map.of(Answer.GENERATION, generated), Map.of(), 0.5));
  }

  /** Of a record whose label is the second. */
  private static Predictor answering(double no, double yes) {
    Map<String, Double> probabilities = new LinkedHashMap<>();
    probabilities.put("no", no);
    probabilities.put("yes", yes);
    Scored scored = Scored.of(new double[] {no, yes}, 1);
    Answer answer =
        new Answer(
            no > yes ? "no" : "yes",
            probabilities,
            null,
            Map.of(Answer.CLASSIFICATION, scored),
            Map.of(Answer.CLASSIFICATION, scored.confidence()),
            Double.NaN);
    return records -> List.of(answer);
  }
}
