package io.guilomo.family.distilbert;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.Activations;
import io.guilomo.family.Architectures;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.LayerCount;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.SequenceHead;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.family.bert.BertConfigParser;
import io.guilomo.family.bert.BertTensors;
import io.guilomo.io.ConfigJson;
import io.guilomo.kernel.Activation;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.util.Set;

/**
 * DistilBERT (arXiv 1910.01108): a BERT of half the layers without segments, whose modules and
 * configuration have names of their own.
 */
public final class DistilBertFamily implements ModelFamily {

  /** Not in its configuration. */
  private static final float EPSILON = 1e-12f;

  private static final ModulePaths PATHS =
      ModulePaths.encoder(
          "distilbert",
          "transformer.layer",
          "classifier",
          "q_lin=attention.q_lin",
          "k_lin=attention.k_lin",
          "v_lin=attention.v_lin",
          "out_lin=attention.out_lin",
          "lin1=ffn.lin1",
          "lin2=ffn.lin2");

  private static final BertTensors TENSORS =
      new BertTensors("sa_layer_norm", "output_layer_norm", "pre_classifier", "classifier");

  @Override
  public String name() {
    return PATHS.base();
  }

  @Override
  public String covers() {
    return "encoders: DistilBERT";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.ENCODERS.of("DistilBert");
  }

  /** Absent keys mean what they mean to Hugging Face's DistilBertConfig. */
  @Override
  public BackboneConfig parse(ConfigJson json) {
    return new BertConfig(
        PATHS,
        json.positive("dim"),
        json.positive("hidden_dim"),
        LayerCount.parse(json, "n_layers"),
        BertConfigParser.heads(json, "dim", "n_heads"),
        json.positive("vocab_size"),
        json.positive("max_position_embeddings", 512),
        -1,
        0,
        EPSILON,
        Activations.parse(json, "activation", "gelu"),
        SequenceHead.dense(json, Pooling.CLS, Activation.RELU));
  }

  @Override
  public ModulePaths paths() {
    return PATHS;
  }

  @Override
  public void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    TENSORS.read((BertConfig) config, tensors);
  }
}
