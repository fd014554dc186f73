package io.guilomo.network;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.BackboneConfig;
import io.guilomo.family.BertConfig;
import io.guilomo.family.LlamaConfig;
import java.util.List;

/**
 * What one layer of the graph is built from; it travels inside the graph's configuration as JSON.
 *
 * @param llama shape of the backbone if it is a decoder, else null
 * @param bert shape of the backbone if it is an encoder, else null
 * @param layer block number; −1 for other parts
 * @param modules the modules with experts of this block; of all blocks for the selection
 */
record PartSpec(
    Kind kind,
    String backbone,
    LlamaConfig llama,
    BertConfig bert,
    int layer,
    Stage stage,
    List<ModuleExperts> modules,
    double dropout,
    double loadBalance,
    int classes,
    Pooling pooling,
    long seed) {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  enum Kind {
    SELECTION,
    EMBEDDING,
    BLOCK,
    HEAD
  }

  static PartSpec of(NetworkDefinition definition, Kind kind, int layer) {
    List<ModuleExperts> modules =
        switch (kind) {
          case SELECTION -> definition.modules();
          case BLOCK ->
              definition.modules().stream().filter(m -> m.module().layer() == layer).toList();
          default -> List.of();
        };
    return new PartSpec(
        kind,
        definition.backbone(),
        definition.config() instanceof LlamaConfig llama ? llama : null,
        definition.config() instanceof BertConfig bert ? bert : null,
        layer,
        definition.stage(),
        modules,
        definition.dropout(),
        definition.loadBalance(),
        definition.classes(),
        definition.pooling(),
        definition.seed());
  }

  @JsonIgnore
  BackboneConfig config() {
    return llama != null ? llama : bert;
  }

  /** The part, with its layout but not yet its backbone. */
  Part build() {
    return switch (kind) {
      case SELECTION -> new Selection(this);
      case EMBEDDING -> new Embedding();
      case BLOCK -> llama != null ? new DecoderBlock(this) : new EncoderBlock(this);
      case HEAD -> classes > 0 ? new ClassificationHead(this) : new CausalHead();
    };
  }

  String toJson() {
    try {
      return MAPPER.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  static PartSpec fromJson(String json) {
    try {
      return MAPPER.readValue(json, PartSpec.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "Cannot read the layer specification: " + e.getOriginalMessage(), e);
    }
  }
}
