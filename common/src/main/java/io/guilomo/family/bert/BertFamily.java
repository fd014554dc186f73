package io.guilomo.family.bert;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.SequenceHead;
import io.guilomo.io.ConfigJson;
import io.guilomo.io.OnnxModel;
import io.guilomo.kernel.Activation;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/** BERT (arXiv 1810.04805), under Hugging Face's names. */
public final class BertFamily implements ModelFamily {

  private static final BertTensors TENSORS =
      new BertTensors(
          "attention.output.LayerNorm", "output.LayerNorm", "pooler.dense", "classifier");

  @Override
  public String name() {
    return BertConfig.PATHS.base();
  }

  @Override
  public String covers() {
    return "encoders: BERT, MiniLM, BGE, E5 and GTE of BERT's shape";
  }

  @Override
  public Set<String> architectures() {
    return Set.of(
        "BertModel",
        "BertForMaskedLM",
        "BertForMultipleChoice",
        "BertForNextSentencePrediction",
        "BertForPreTraining",
        "BertForQuestionAnswering",
        "BertForSequenceClassification",
        "BertForTokenClassification");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    return BertConfigParser.parse(
        json, BertConfig.PATHS, -1, SequenceHead.dense(json, Pooling.CLS, Activation.TANH));
  }

  @Override
  public Optional<BackboneConfig> parse(OnnxModel onnx) {
    return onnx.names().stream().anyMatch(name -> name.endsWith(BertOnnx.WORDS))
        ? Optional.of(new BertOnnx(onnx).config())
        : Optional.empty();
  }

  @Override
  public ModulePaths paths() {
    return BertConfig.PATHS;
  }

  @Override
  public void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    TENSORS.read((BertConfig) config, tensors);
  }
}
