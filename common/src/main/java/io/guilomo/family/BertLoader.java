package io.guilomo.family;

import io.guilomo.family.FrozenTensors.Extent;
import io.guilomo.family.FrozenTensors.Part;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.TensorSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reads the weights of a BERT encoder under Hugging Face's names: with or without the prefix {@code
 * bert.}, and with {@code gamma}, {@code beta} for the norms, as the first checkpoints call them.
 */
final class BertLoader {

  private static final String PREFIX = "bert.";

  private final BertConfig config;
  private final FrozenTensors tensors;

  private BertLoader(BertConfig config, FrozenTensors tensors) {
    this.config = config;
    this.tensors = tensors;
  }

  static BertBackbone load(
      ModelDirectory directory, BertConfig config, Extent extent, FrozenMemory memory)
      throws IOException {
    try (TensorSource source = directory.tensors()) {
      Set<String> names = source.names();
      return new BertLoader(
              config,
              new FrozenTensors(directory, source, name -> storedName(name, names), extent, memory))
          .backbone();
    }
  }

  private static String storedName(String name, Set<String> names) {
    String prefix = names.stream().anyMatch(stored -> stored.startsWith(PREFIX)) ? PREFIX : "";
    String old =
        name.replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta");
    return prefix + (names.contains(prefix + old) ? old : name);
  }

  private BertBackbone backbone() throws IOException {
    long hidden = config.hidden();
    INDArray words = tensors.read("embeddings.word_embeddings.weight", config.vocabulary(), hidden);
    INDArray positions =
        tensors.read("embeddings.position_embeddings.weight", config.maxPositions(), hidden);
    INDArray segments =
        tensors.read("embeddings.token_type_embeddings.weight", config.segments(), hidden);
    BertBackbone.Norm norm = norm("embeddings");
    List<BertBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(layer("encoder.layer." + layer + "."));
    }
    return new BertBackbone(config, tensors.digest(), words, positions, segments, norm, layers);
  }

  private BertBackbone.Layer layer(String prefix) throws IOException {
    long hidden = config.hidden();
    long intermediate = config.intermediate();
    String self = prefix + "attention.self.";
    return new BertBackbone.Layer(
        tensors.fused(
            List.of(
                new Part(self + "query.weight", hidden, hidden),
                new Part(self + "key.weight", hidden, hidden),
                new Part(self + "value.weight", hidden, hidden))),
        tensors.fused(
            List.of(
                new Part(self + "query.bias", hidden),
                new Part(self + "key.bias", hidden),
                new Part(self + "value.bias", hidden))),
        tensors.read(prefix + "attention.output.dense.weight", hidden, hidden),
        tensors.read(prefix + "attention.output.dense.bias", hidden),
        norm(prefix + "attention.output"),
        tensors.read(prefix + "intermediate.dense.weight", intermediate, hidden),
        tensors.read(prefix + "intermediate.dense.bias", intermediate),
        tensors.read(prefix + "output.dense.weight", hidden, intermediate),
        tensors.read(prefix + "output.dense.bias", hidden),
        norm(prefix + "output"));
  }

  private BertBackbone.Norm norm(String module) throws IOException {
    return new BertBackbone.Norm(
        tensors.read(module + ".LayerNorm.weight", config.hidden()),
        tensors.read(module + ".LayerNorm.bias", config.hidden()));
  }
}
