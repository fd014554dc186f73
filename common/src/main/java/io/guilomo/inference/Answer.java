package io.guilomo.inference;

import io.guilomo.metric.Scored;
import java.io.Serializable;
import java.util.Map;

/**
 * What a model made of one record.
 *
 * @param prediction class, letter of the likeliest choice, or answer in the generated text; null
 *     where there is none
 * @param probabilities of every class or choice; null where there are none
 * @param generated response; null where none was generated
 * @param scores by method, {@code classification}, {@code choices} or {@code generation}; only of
 *     records whose right answer is known
 * @param responseLoss {@code −log p} a token of the right response; {@code NaN} where it is not
 *     known
 */
public record Answer(
    String prediction,
    Map<String, Double> probabilities,
    String generated,
    Map<String, Scored> scores,
    double responseLoss)
    implements Serializable {

  public static final String CLASSIFICATION = "classification";
  public static final String CHOICES = "choices";
  public static final String GENERATION = "generation";
}
