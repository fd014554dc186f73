package io.guilomo.family.roberta;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.Architectures;
import io.guilomo.family.FrozenTensors;
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
 * RoBERTa (arXiv 1907.11692), XLM-R (arXiv 1911.02116) and CamemBERT (arXiv 1911.03894): BERTs
 * whose positions are counted from the row behind the padding token's, and that know no segments.
 * The tensors of all three stand under {@code roberta.}.
 */
public final class RobertaFamily implements ModelFamily {

  private static final int PADDING = 1;

  private static final ModulePaths PATHS =
      ModulePaths.encoder(
          "roberta",
          "encoder.layer",
          "classifier.out_proj",
          "query=attention.self.query",
          "key=attention.self.key",
          "value=attention.self.value",
          "attention_output=attention.output.dense",
          "intermediate=intermediate.dense",
          "output=output.dense");

  private static final BertTensors TENSORS =
      new BertTensors(
          "attention.output.LayerNorm",
          "output.LayerNorm",
          "classifier.dense",
          "classifier.out_proj");

  @Override
  public String name() {
    return PATHS.base();
  }

  @Override
  public String covers() {
    return "encoders: RoBERTa, XLM-R, CamemBERT, and E5 and BGE of their shape";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.ENCODERS.of("Roberta", "XLMRoberta", "Camembert");
  }

  @Override
  public Set<String> modelTypes() {
    return Set.of("roberta", "xlm-roberta", "camembert");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    return BertConfigParser.parse(
        json, PATHS, padding(json), SequenceHead.dense(json, Pooling.CLS, Activation.TANH));
  }

  private static int padding(ConfigJson json) {
    JsonNode id = json.root().path("pad_token_id");
    if (id.isMissingNode() || id.isNull()) {
      return PADDING;
    }
    if (!id.canConvertToInt() || id.intValue() < 0) {
      throw json.refuse("pad_token_id is %s, expected a token".formatted(id));
    }
    return id.intValue();
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
