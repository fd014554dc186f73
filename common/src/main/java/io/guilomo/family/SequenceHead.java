package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.LabelSet;
import io.guilomo.io.ConfigJson;
import io.guilomo.kernel.Activation;
import io.guilomo.network.PretrainedHead;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a {@code config.json} tells of the sequence-classification head of its checkpoint: one of
 * Hugging Face's classes {@code …ForSequenceClassification}, whose number of labels is 2 where
 * nothing is said.
 */
public final class SequenceHead {

  private static final String CLASS = "ForSequenceClassification";
  private static final int DEFAULT_LABELS = 2;

  private SequenceHead() {}

  /** The class of that name for models such as {@code Llama}. */
  public static String architecture(String models) {
    return models + CLASS;
  }

  /** A head with a linear layer before the classifier; null if the checkpoint has no head. */
  public static PretrainedHead dense(ConfigJson json, Pooling pooling, Activation activation) {
    return present(json)
        ? PretrainedHead.dense(labels(json), singleLabel(json), pooling, activation)
        : null;
  }

  /**
   * A linear head that reads the last token that is not {@code pad_token_id}; null if the
   * checkpoint has no head.
   */
  public static PretrainedHead last(ConfigJson json) {
    int padding = json.has("pad_token_id") ? json.root().path("pad_token_id").asInt(-1) : -1;
    return present(json) ? PretrainedHead.last(labels(json), singleLabel(json), padding) : null;
  }

  private static boolean present(ConfigJson json) {
    return json.root().path("architectures").path(0).asText("").endsWith(CLASS);
  }

  private static List<String> labels(ConfigJson json) {
    JsonNode named = json.root().path("id2label");
    int count =
        named.isObject() && !named.isEmpty()
            ? named.size()
            : json.positive("num_labels", DEFAULT_LABELS);
    if (count > LabelSet.MAX_LABELS) {
      throw json.refuse(
          "its head has %s labels, maximum is %s".formatted(count, LabelSet.MAX_LABELS));
    }
    return IntStream.range(0, count)
        .mapToObj(i -> named.path(String.valueOf(i)).asText("LABEL_" + i))
        .toList();
  }

  /** Hugging Face tells the problem by the labels it is given where the config does not. */
  private static boolean singleLabel(ConfigJson json) {
    return labels(json).size() > 1
        && json.text("problem_type", "single_label_classification")
            .equals("single_label_classification");
  }
}
