package io.guilomo.adapter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.family.StoredModel;
import io.guilomo.io.StoredTensor;
import io.guilomo.io.TensorType;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The classifier of an adapter as the head of Hugging Face's class for sequence classification. It
 * takes the place of the checkpoint's own, or is added to a decoder. It is what the class computes
 * if the class reads the same state: through the head of its checkpoint, or the last token of a
 * decoder. Others have a layer between that the adapter has not learned.
 */
final class MergedClassifier {

  private final AdapterDescription description;
  private final StoredModel stored;

  /** By the names in the files. */
  private final Map<String, INDArray> tensors = new LinkedHashMap<>();

  /**
   * @throws UserException if the class reads other states than the classifier
   */
  MergedClassifier(Adapter adapter, StoredModel stored) {
    this.description = adapter.description();
    this.stored = stored;
    if (!description.pooledAsInItsClass()) {
      throw new UserException(
          "Cannot merge: the classifier was trained with model.pooling = %s, and %s reads another"
              + " state; train it with model.pooling = %s, or load the adapter with deploy/python",
          description.pooling(),
          stored.classifierArchitecture(),
          description.paths().causal()
              ? "last"
              : "head on a checkpoint that has a classification head");
    }
    put(adapter, AdapterTensors.CLASSIFIER_WEIGHT, ".weight");
    put(adapter, AdapterTensors.CLASSIFIER_BIAS, ".bias");
  }

  private void put(Adapter adapter, String name, String kind) {
    INDArray tensor = adapter.tensors().get(name);
    if (tensor != null) {
      String written = stored.config().paths().classifier() + kind;
      tensors.put(stored.head(written).orElse(written), tensor);
    }
  }

  /** The tensors of the model with those of the classifier among them. */
  List<StoredTensor> into(List<StoredTensor> model) throws IOException {
    boolean hasHead = stored.config().pretrainedHead() != null;
    LinearModule first = stored.config().linearModules().get(0);
    TensorType type = stored.weights().stored(stored.weight(first)).type();
    // The class looks for the tensors of the base model under its prefix.
    String prefix = hasHead ? "" : stored.missingPrefix();
    List<StoredTensor> all = new ArrayList<>();
    for (StoredTensor tensor : model) {
      if (!tensors.containsKey(tensor.name())) {
        all.add(tensor.named(prefix + tensor.name()));
      } else {
        type = tensor.type();
      }
    }
    for (Map.Entry<String, INDArray> entry : tensors.entrySet()) {
      INDArray values = entry.getValue();
      all.add(
          new StoredTensor(
              entry.getKey(), type, values.shape(), content(entry.getKey(), values, type)));
    }
    return all;
  }

  private static StoredTensor.Content content(String name, INDArray tensor, TensorType type) {
    float[] values = tensor.dup('c').data().asFloat();
    for (float value : values) {
      if (!type.holds(value)) {
        throw new UserException(
            "Cannot merge: %s has the value %s, which is out of the range of %s; train again with a"
                + " lower learning rate, or load the adapter with deploy/python",
            name, value, type);
      }
    }
    byte[] bytes = type.bytes(values, values.length);
    return out -> out.write(bytes);
  }

  /** The {@code config.json} of the class, with the adapter's labels. */
  ObjectNode config() {
    ObjectNode json = stored.json().root().deepCopy();
    json.putArray("architectures").add(stored.classifierArchitecture());
    ObjectNode names = json.putObject("id2label");
    ObjectNode numbers = json.putObject("label2id");
    List<String> labels = description.labels();
    for (int i = 0; i < labels.size(); i++) {
      names.put(String.valueOf(i), labels.get(i));
      numbers.put(labels.get(i), i);
    }
    json.remove("num_labels");
    json.put("problem_type", "single_label_classification");
    return json;
  }
}
