package io.guilomo.inference;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.GenerationConfig;
import io.guilomo.data.TextRecord;
import io.guilomo.io.Tokenizer;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.uncertainty.Predictive;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/** Answers records with an adapted model. Not thread-safe. */
public interface Predictor {

  /**
   * How to query a language model.
   *
   * @param methods some of {@link Answer#GENERATION}, {@link Answer#CHOICES} and {@link
   *     Answer#TEXT}
   * @param seed of sampling
   */
  record Options(List<String> methods, GenerationConfig generation, long seed)
      implements Serializable {}

  /**
   * One answer per record, in order.
   *
   * @throws UserException if a record does not belong to the adapter's task
   */
  List<Answer> answer(List<TextRecord> records);

  /** The same to be scored: nothing is generated for a record whose answer is unknown. */
  default List<Answer> score(List<TextRecord> records) {
    return answer(records);
  }

  /**
   * Why a record cannot be asked, such as a conversation that the chat template refuses; empty if
   * it can.
   */
  default Optional<String> refusal(TextRecord record) {
    return Optional.empty();
  }

  /**
   * The predictor for an adapter's task.
   *
   * @param predictive of a classifier's head
   */
  static Predictor of(
      AdapterDescription description,
      LoraMoeNetwork network,
      Tokenizer tokenizer,
      Options options,
      Predictive predictive) {
    return description.task() == Task.CLASSIFICATION
        ? new ClassPredictor(description, network, tokenizer, predictive)
        : new ResponsePredictor(description, network, tokenizer, tokenizer, options);
  }
}
