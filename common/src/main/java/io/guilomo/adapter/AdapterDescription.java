package io.guilomo.adapter;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.PromptTemplate;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import java.io.Serializable;
import java.util.List;

/**
 * Everything that inference needs in addition to the backbone, its tokenizer and the adapter's
 * tensors.
 *
 * @param backbone path of the backbone when the adapter was trained; it may have moved since
 * @param backboneDigest digest of the tensors of the backbone, which must not have changed
 * @param paths of the modules in Hugging Face's classes of the backbone
 * @param labels classes of a classifier by number; empty for other tasks
 * @param pooling how a classifier reads an encoder
 * @param maxLength most tokens of an example
 * @param template prompt template; null for a classifier
 */
public record AdapterDescription(
    AllocationPlan plan,
    String backbone,
    String backboneDigest,
    ModulePaths paths,
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
          "Cannot describe an adapter for %s with %d labels and %s prompt template",
          task, labels.size(), template == null ? "no" : "a");
    }
  }

  /**
   * Whether Hugging Face's class for sequence classification reads the state that the classifier
   * was trained with: through the head of its checkpoint, or the last token of a decoder.
   */
  boolean pooledAsInItsClass() {
    return pooling == Pooling.HEAD || paths.causal() && pooling == Pooling.LAST;
  }
}
