package io.guilomo.network;

import io.guilomo.family.BertConfig;
import io.guilomo.family.LlamaConfig;
import io.guilomo.model.LinearModule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How large the arrays become that the parts of one replica ask {@link Buffers} for, in passes with
 * a backward pass and in passes without one, over sequences of one length whose every token is a
 * label.
 */
final class ReplicaArrays {

  private final NetworkDefinition definition;
  private final Map<LinearModule, ModuleExperts> experts;
  private final long sequences;
  private final long length;
  private final long tokens;
  private final Map<String, Long> sizes = new HashMap<>();

  ReplicaArrays(NetworkDefinition definition, long sequences, long length) {
    this.definition = definition;
    this.experts =
        definition.modules().stream()
            .collect(Collectors.toMap(ModuleExperts::module, Function.identity()));
    this.sequences = sequences;
    this.length = length;
    this.tokens = sequences * length;
    embeddings();
    if (definition.config() instanceof LlamaConfig llama) {
      decoder(llama);
    } else {
      encoder((BertConfig) definition.config());
    }
    if (definition.classes() > 0) {
      classificationHead();
    } else {
      causalHead();
    }
  }

  /** Floats of all of them; as a double, because sizes of large models and batches overflow. */
  double elements() {
    return sizes.values().stream().mapToDouble(Long::doubleValue).sum();
  }

  private void embeddings() {
    long hidden = definition.config().hidden();
    array("embedded", tokens * hidden);
    array("d", tokens * hidden);
    if (definition.stage() == Stage.SEARCH) {
      long gsvs = ParameterCount.of(definition).gsvs();
      array("selection.masks", gsvs);
      array("selection.maskGradients", gsvs);
    }
  }

  private void decoder(LlamaConfig config) {
    long hidden = config.hidden();
    long query = (long) config.heads() * config.headDim();
    long qkv = query + 2L * config.keyValueHeads() * config.headDim();
    for (int layer = 0; layer < config.layers(); layer++) {
      String name = PartNames.block(layer);
      for (String state : List.of("normed", "middle", "middleNormed", "y")) {
        saved(name, state, tokens * hidden);
      }
      saved(name, "rms", tokens);
      saved(name, "middleRms", tokens);
      saved(name, "qkvOut", tokens * qkv);
      saved(name, "attended", tokens * query);
      saved(name, "gateUpOut", tokens * 2 * config.intermediate());
      saved(name, "activated", tokens * config.intermediate());
      saved(name, "probabilities", sequences * config.heads() * length * length);
      group(name + ".qkv", layer, "q_proj", "k_proj", "v_proj");
      group(name + ".o", layer, "o_proj");
      group(name + ".gateUp", layer, "gate_proj", "up_proj");
      group(name + ".down", layer, "down_proj");
    }
    array("dActivated", tokens * config.intermediate());
    array("dNormed", tokens * hidden);
    array("dAttended", tokens * query);
    array("dqkv", tokens * qkv);
  }

  private void encoder(BertConfig config) {
    long hidden = config.hidden();
    array("embeddedNormed", tokens * hidden);
    array("embeddedMean", tokens);
    array("embeddedDeviation", tokens);
    for (int layer = 0; layer < config.layers(); layer++) {
      String name = PartNames.block(layer);
      for (String state : List.of("attended", "attentionSum", "middle", "outputSum", "y")) {
        saved(name, state, tokens * hidden);
      }
      for (String norm : List.of("attention", "output")) {
        saved(name, norm + "Mean", tokens);
        saved(name, norm + "Deviation", tokens);
      }
      saved(name, "qkvOut", tokens * 3 * hidden);
      saved(name, "intermediateOut", tokens * config.intermediate());
      saved(name, "activated", tokens * config.intermediate());
      saved(name, "probabilities", sequences * config.heads() * length * length);
      group(name + ".qkv", layer, "query", "key", "value");
      group(name + ".attentionOutput", layer, "attention_output");
      group(name + ".intermediate", layer, "intermediate");
      group(name + ".output", layer, "output");
    }
    array("dActivated", tokens * config.intermediate());
    array("dAttended", tokens * hidden);
    array("dqkv", tokens * 3 * hidden);
  }

  private void classificationHead() {
    array("head.logits", sequences * definition.classes());
    array("head.pooled", sequences * definition.config().hidden());
  }

  private void causalHead() {
    long hidden = definition.config().hidden();
    int vocabulary = definition.config().vocabulary();
    long labels = sequences * (length - 1);
    for (String state : List.of("picked", "finalNormed", "dPicked", "dStates")) {
      array("head." + state, labels * hidden);
    }
    array("head.rms", labels);
    array("head.logits", Math.min(labels, CausalHead.chunk(vocabulary)) * vocabulary);
  }

  private void group(String name, int layer, String... modules) {
    List<ModuleExperts> members = new ArrayList<>();
    for (String module : modules) {
      experts.forEach(
          (key, put) -> {
            if (key.layer() == layer && key.name().equals(module)) {
              members.add(put);
            }
          });
    }
    if (members.isEmpty()) {
      return;
    }
    long ranks = members.stream().mapToLong(ModuleExperts::totalRank).sum();
    saved(name, "h", tokens * ranks);
    array("z", tokens * ranks);
    array("logits", tokens * members.stream().mapToLong(ModuleExperts::experts).sum());
    if (definition.dropout() > 0) {
      array("dropped", tokens * members.get(0).module().inFeatures());
    }
    for (ModuleExperts member : members) {
      String prefix = PartNames.prefix(member.module());
      saved(prefix, "routing", tokens * member.experts());
      saved(prefix, "weights", tokens * member.experts());
      array(prefix + "scalings", member.totalRank());
      array("dWeights", tokens * member.experts());
      if (definition.stage() == Stage.SEARCH) {
        array("dCoefficients", member.totalRank());
        array("coefficients", member.totalRank());
      }
    }
  }

  /** As {@link PassContext#saved}: of every part for a backward pass, of all parts for none. */
  private void saved(String owner, String kind, long size) {
    array(owner + "." + kind, size);
    array("forward." + kind, size);
  }

  private void array(String name, long size) {
    sizes.merge(name, Math.max(1, size), Math::max);
  }
}
