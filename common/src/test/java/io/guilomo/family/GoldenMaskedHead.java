package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.StepwisePass;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Masked tokens, as the head of a checkpoint predicts them: a linear layer, an activation, a norm
 * and the product with the embeddings. Networks have no such head, so it is computed here, with 64
 * bits.
 */
final class GoldenMaskedHead implements GoldenHead {

  /**
   * The names of a head.
   *
   * @param last norm of the base model, where it is not a block's; null otherwise
   * @param activation key of the activation in config.json; null for GELU whatever it says
   */
  private record Names(
      String last,
      String dense,
      String activation,
      String norm,
      String decoder,
      String bias,
      String embeddings,
      String epsilon) {}

  private static final Map<String, Names> NAMES =
      Map.of(
          "BertForMaskedLM",
          new Names(
              null,
              "cls.predictions.transform.dense",
              "hidden_act",
              "cls.predictions.transform.LayerNorm",
              "cls.predictions.decoder.weight",
              "cls.predictions.bias",
              "bert.embeddings.word_embeddings.weight",
              "layer_norm_eps"),
          "DistilBertForMaskedLM",
          new Names(
              null,
              "vocab_transform",
              "activation",
              "vocab_layer_norm",
              "vocab_projector.weight",
              "vocab_projector.bias",
              "distilbert.embeddings.word_embeddings.weight",
              "layer_norm_eps"),
          "ModernBertForMaskedLM",
          new Names(
              "model.final_norm",
              "head.dense",
              "classifier_activation",
              "head.norm",
              "decoder.weight",
              "decoder.bias",
              "model.embeddings.tok_embeddings.weight",
              "norm_eps"));

  private static final Names ROBERTA =
      new Names(
          null,
          "lm_head.dense",
          null,
          "lm_head.layer_norm",
          "lm_head.decoder.weight",
          "lm_head.bias",
          "roberta.embeddings.word_embeddings.weight",
          "layer_norm_eps");

  @Override
  public boolean belongsTo(String modelClass) {
    return modelClass.endsWith("ForMaskedLM");
  }

  @Override
  public NetworkDefinition definition(Path model, BackboneConfig config, JsonNode expected) {
    return GoldenCausalHead.definition(config, 2);
  }

  @Override
  public Example example(int[] tokens, int[] segments, JsonNode labels) {
    int[] own = new int[tokens.length];
    Arrays.fill(own, TokenBatch.IGNORED);
    return new Example(tokens, segments, own);
  }

  @Override
  public Outcome run(
      StepwisePass pass, Path model, TokenBatch batch, float[][] states, JsonNode labels) {
    List<DoubleLayer> layers = layers(model);
    double[][] logits = Goldens.doubles(states);
    for (DoubleLayer layer : layers) {
      logits = layer.forward(logits);
    }
    if (labels.isMissingNode()) {
      return new Outcome(logits, 0, null);
    }
    double[][] gradient = new double[logits.length][logits[0].length];
    double loss = crossEntropy(logits, Goldens.integers(labels), gradient);
    Collections.reverse(layers);
    for (DoubleLayer layer : layers) {
      gradient = layer.backward(gradient);
    }
    return new Outcome(logits, loss, floats(gradient));
  }

  private static List<DoubleLayer> layers(Path model) {
    JsonNode config = GoldenFiles.parse(model.resolve("config.json"));
    Names names = NAMES.getOrDefault(config.at("/architectures/0").asText(), ROBERTA);
    Map<String, INDArray> tensors = GoldenFiles.tensors(model.resolve("model.safetensors"));
    double epsilon = config.path(names.epsilon()).asDouble(1e-12);
    List<DoubleLayer> layers = new ArrayList<>();
    if (names.last() != null) {
      layers.add(norm(tensors, names.last(), epsilon));
    }
    layers.add(linear(tensors, names.dense() + ".weight", names.dense() + ".bias"));
    String activation =
        names.activation() == null ? "gelu" : config.path(names.activation()).asText("gelu");
    layers.add(new DoubleLayer.Activated(activation));
    layers.add(norm(tensors, names.norm(), epsilon));
    boolean untied = tensors.containsKey(names.decoder());
    layers.add(linear(tensors, untied ? names.decoder() : names.embeddings(), names.bias()));
    return layers;
  }

  private static DoubleLayer linear(Map<String, INDArray> tensors, String weight, String bias) {
    double[][] w = tensors.get(weight).toDoubleMatrix();
    return new DoubleLayer.Linear(w, vector(tensors, bias, w.length));
  }

  private static DoubleLayer norm(Map<String, INDArray> tensors, String name, double epsilon) {
    double[] weight = tensors.get(name + ".weight").toDoubleVector();
    return new DoubleLayer.Norm(weight, vector(tensors, name + ".bias", weight.length), epsilon);
  }

  private static double[] vector(Map<String, INDArray> tensors, String name, int length) {
    return tensors.containsKey(name) ? tensors.get(name).toDoubleVector() : new double[length];
  }

  private static double crossEntropy(double[][] logits, int[] labels, double[][] gradient) {
    long count = Arrays.stream(labels).filter(label -> label >= 0).count();
    double loss = 0;
    for (int t = 0; t < labels.length; t++) {
      if (labels[t] >= 0) {
        double[] row = logits[t];
        double most = Arrays.stream(row).max().orElseThrow();
        double sum = Arrays.stream(row).map(x -> Math.exp(x - most)).sum();
        loss -= row[labels[t]] - most - Math.log(sum);
        for (int c = 0; c < row.length; c++) {
          gradient[t][c] = (Math.exp(row[c] - most) / sum - (c == labels[t] ? 1 : 0)) / count;
        }
      }
    }
    return loss / count;
  }

  private static float[][] floats(double[][] rows) {
    float[][] floats = new float[rows.length][rows[0].length];
    for (int t = 0; t < rows.length; t++) {
      for (int c = 0; c < rows[t].length; c++) {
        floats[t][c] = (float) rows[t][c];
      }
    }
    return floats;
  }
}
