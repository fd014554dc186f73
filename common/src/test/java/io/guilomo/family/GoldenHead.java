package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.StepwisePass;
import java.nio.file.Path;
import java.util.List;

/** What checkpoints of one kind put on the backbone, for {@link TestGoldenFamilies}. */
interface GoldenHead {

  /** All kinds. */
  List<GoldenHead> ALL =
      List.of(new GoldenCausalHead(), new GoldenClassificationHead(), new GoldenMaskedHead());

  /** The head of a model class of transformers. */
  static GoldenHead of(String modelClass) {
    return ALL.stream()
        .filter(head -> head.belongsTo(modelClass))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no head for " + modelClass));
  }

  /** Whether this is the head of a model class of transformers. */
  boolean belongsTo(String modelClass);

  /** A network over the backbone whose experts add nothing. */
  NetworkDefinition definition(Path model, BackboneConfig config, JsonNode expected);

  /**
   * A case, or a row of a padded one without its padding, as the network reads it.
   *
   * @param labels of the case; missing of a padded one
   */
  Example example(int[] tokens, int[] segments, JsonNode labels);

  /**
   * Runs the head forward and, where the batch is a case with labels, backward.
   *
   * @param model the checkpoint, for heads whose tensors no network reads
   * @param states after the last block, {@code [T][hidden]}
   * @param labels of the case; missing of padded ones
   */
  Outcome run(StepwisePass pass, Path model, TokenBatch batch, float[][] states, JsonNode labels);

  /**
   * @param logits a row per token or per sequence
   * @param stateGradient by the states, {@code [T][hidden]}; null without labels
   */
  record Outcome(double[][] logits, double loss, float[][] stateGradient) {}
}
