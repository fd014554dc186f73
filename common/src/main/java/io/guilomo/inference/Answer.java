package io.guilomo.inference;

import io.guilomo.metric.Scored;
import java.io.Serializable;
import java.util.Map;

/**
 * A model's answer to one record.
 *
 * @param prediction class, letter of the most likely choice, or answer in the generated text; null
 *     if there is none
 * @param probabilities of every class or choice; null if there are none
 * @param generated response; null if none was generated
 * @param scores by method, {@code classification}, {@code choices} or {@code generation}; empty if
 *     the correct answer is unknown
 * @param confidences probability of the most likely answer, by method; empty if there are none
 * @param responseLoss {@code −log p} per token of the correct response, or with {@link #TEXT} of
 *     prompt and response; {@code NaN} if the response is unknown
 */
public record Answer(
    String prediction,
    Map<String, Double> probabilities,
    String generated,
    Map<String, Scored> scores,
    Map<String, Double> confidences,
    double responseLoss)
    implements Serializable {

  public static final String CLASSIFICATION = "classification";
  public static final String CHOICES = "choices";
  public static final String GENERATION = "generation";

  /** Asks for the loss of the whole text, prompt included, as the response's. */
  public static final String TEXT = "text";
}
