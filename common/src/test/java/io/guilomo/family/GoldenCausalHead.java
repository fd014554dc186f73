package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.network.StepwisePass;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The next token, as the network's own head predicts it. */
final class GoldenCausalHead implements GoldenHead {

  @Override
  public boolean belongsTo(String modelClass) {
    return modelClass.endsWith("ForCausalLM") || modelClass.endsWith("ForConditionalGeneration");
  }

  @Override
  public NetworkDefinition definition(Path model, BackboneConfig config, JsonNode expected) {
    return definition(config, 0);
  }

  /** A network with one expert, whose B is zero. */
  static NetworkDefinition definition(BackboneConfig config, int classes) {
    List<LinearModule> modules = config.linearModules();
    ModuleExperts expert =
        ModuleExperts.uniform(modules.get(modules.size() - 1), 1, 1, 1, RoutingMethod.topK(1));
    return new NetworkDefinition(
        "memory:golden",
        config,
        Stage.FINE_TUNING,
        List.of(expert),
        0,
        0,
        classes,
        Pooling.AUTO,
        1);
  }

  @Override
  public Example example(int[] tokens, int[] segments, JsonNode labels) {
    int[] own = new int[tokens.length];
    Arrays.setAll(own, t -> labels.path(t).asInt(TokenBatch.IGNORED));
    return new Example(tokens, segments, own);
  }

  @Override
  public Outcome run(
      StepwisePass pass, Path model, TokenBatch batch, float[][] states, JsonNode labels) {
    double[][] logits = Goldens.doubles(pass.logits(states));
    if (labels.isMissingNode()) {
      return new Outcome(logits, 0, null);
    }
    float[][] gradient = pass.headBackward(states);
    return new Outcome(logits, pass.loss(), gradient);
  }
}
