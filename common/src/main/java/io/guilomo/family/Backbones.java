package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.family.FrozenTensors.Extent;
import io.guilomo.io.ConfigJson;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.OnnxModel;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;

/**
 * Loads pretrained models from directories in Hugging Face's layout, and BERT models from ONNX
 * files.
 */
public final class Backbones {

  private static final Set<String> LLAMA = Set.of("LlamaForCausalLM", "llama");
  private static final Set<String> MISTRAL = Set.of("MistralForCausalLM", "mistral");
  private static final Set<String> BERT =
      Set.of(
          "BertModel",
          "BertForMaskedLM",
          "BertForMultipleChoice",
          "BertForNextSentencePrediction",
          "BertForPreTraining",
          "BertForQuestionAnswering",
          "BertForSequenceClassification",
          "BertForTokenClassification",
          "bert");

  private Backbones() {}

  /**
   * Loads the model of a directory: {@code config.json} with {@code model.safetensors}, its shards,
   * or (BERT) an ONNX file, which can do without {@code config.json}. All values become float32 in
   * the memory of the host.
   *
   * @throws UserException if the directory holds no model that can be run
   */
  public static Backbone load(String uri, Configuration conf) throws IOException {
    return load(uri, conf, FrozenMemory.host());
  }

  /**
   * As {@link #load(String, Configuration)}, into the given memory. No tensor lies in the host's
   * memory besides.
   *
   * @throws UserException also if the memory cannot hold the type of its matrices
   */
  public static Backbone load(String uri, Configuration conf, FrozenMemory memory)
      throws IOException {
    return load(uri, conf, Extent.VALUES, memory);
  }

  /**
   * Reads only the shape of a model, and checks that its files have every tensor that it needs, in
   * the right shape. No values are read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static BackboneConfig check(String uri, Configuration conf) throws IOException {
    return load(uri, conf, Extent.SHAPES, null).config();
  }

  /**
   * The digest that the model has when it is loaded, without the memory for its values. Everything
   * is read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static String digest(String uri, Configuration conf) throws IOException {
    return load(uri, conf, Extent.DIGEST, null).digest();
  }

  private static Backbone load(String uri, Configuration conf, Extent extent, FrozenMemory memory)
      throws IOException {
    ModelDirectory directory = ModelDirectory.open(uri, conf);
    directory.requireWeights();
    BackboneConfig config = config(directory);
    if (config instanceof LlamaConfig llama) {
      return LlamaLoader.load(directory, llama, extent, memory);
    }
    return BertLoader.load(directory, (BertConfig) config, extent, memory);
  }

  /** Reads only the shape of a model, without its weights. */
  public static BackboneConfig config(String uri, Configuration conf) throws IOException {
    return config(ModelDirectory.open(uri, conf));
  }

  private static BackboneConfig config(ModelDirectory directory) throws IOException {
    if (!directory.has(ModelDirectory.CONFIG)) {
      if (directory.hasSafetensors() || directory.endingIn(".onnx").isEmpty()) {
        throw directory.refuse("it has no config.json, which tells the architecture");
      }
      try (OnnxModel onnx = directory.onnx()) {
        return new BertOnnx(onnx).config();
      }
    }
    ConfigJson json =
        new ConfigJson(
            directory.json(ModelDirectory.CONFIG), directory.file(ModelDirectory.CONFIG));
    String architecture = architecture(directory, json.root());
    if (BERT.contains(architecture)) {
      return BertConfigParser.fromJson(json);
    }
    return LlamaConfigParser.fromJson(json, MISTRAL.contains(architecture));
  }

  private static String architecture(ModelDirectory directory, JsonNode config) {
    JsonNode named = config.path("architectures").path(0);
    JsonNode architecture =
        named.isMissingNode() || named.isNull() ? config.path("model_type") : named;
    if (!architecture.isTextual()) {
      throw directory.refuse("its config.json names neither architectures nor model_type");
    }
    String name = architecture.textValue();
    if (List.of(LLAMA, MISTRAL, BERT).stream().noneMatch(family -> family.contains(name))) {
      Set<String> known = new TreeSet<>();
      List.of(LLAMA, MISTRAL, BERT).forEach(known::addAll);
      known.removeIf(other -> Character.isLowerCase(other.charAt(0)));
      throw directory.refuse(
          "its architecture is %s, known are %s".formatted(name, String.join(", ", known)));
    }
    return name;
  }
}
