package io.guilomo.adapter;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.PromptTemplate;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import java.io.Serializable;
import java.util.List;

/**
 * What an adapter is for: all that inference needs beside the backbone, its tokenizer and the
 * adapter's tensors.
 *
 * @param backbone where the backbone was when the adapter was trained; it may have moved since
 * @param backboneDigest of the backbone's tensors, which must be the same ones
 * @param labels classes of a classification, in the order of their numbers; else empty
 * @param pooling how a classifier reads an encoder
 * @param maxLength tokens of an example at most
 * @param template around an instruction; null for a classification
 */
public record AdapterDescription(
    AllocationPlan plan,
    String backbone,
    String backboneDigest,
    Task task,
    List<String> labels,
    Pooling pooling,
    int maxLength,
    PromptTemplate template)
    implements Serializable {

  public AdapterDescription {
    labels = List.copyOf(labels);
    boolean classifies = task == Task.CLASSIFICATION;
    if (classifies != (labels.size() > 1) || classifies != (template == null)) {
      throw new UserException(
          String.format(
              "Cannot describe an adapter for %s with %d labels and %s prompt template",
              task, labels.size(), template == null ? "no" : "a"));
    }
  }
}
