package io.guilomo.family.llama;

import io.guilomo.family.Activations;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.RopeParser;
import io.guilomo.family.llama.LlamaConfig.Option;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Rope;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;

/** A family whose models are LLaMAs by other defaults, with other windows or with options. */
public interface LlamaShaped extends ModelFamily {

  /** Base of the frequencies where {@code rope_theta} is absent. */
  double THETA = 10_000;

  /**
   * Reads the shape of a model.
   *
   * @param windows of the layers, whose number they are given
   * @throws io.guilomo.model.UserException if the model cannot be run
   */
  default LlamaConfig parse(
      ConfigJson json,
      DecoderParser.Defaults defaults,
      IntFunction<List<Integer>> windows,
      Set<Option> options) {
    DecoderSizes sizes = new DecoderParser(json, defaults).sizes();
    Rope rope = new RopeParser(json, sizes.maxPositions(), sizes.headDim()).global(THETA);
    return new LlamaConfig(
        name(),
        sizes.withPositions(RopeParser.longest(rope, sizes.maxPositions())),
        Activations.parse(json, "hidden_act", "silu"),
        rope,
        windows.apply(sizes.layers()),
        options);
  }

  /** The options that {@code attention_bias} asks for, and room for others. */
  static Set<Option> attentionBiases(ConfigJson json) {
    return json.flag("attention_bias", false)
        ? EnumSet.of(Option.QKV_BIAS, Option.O_BIAS)
        : EnumSet.noneOf(Option.class);
  }

  @Override
  default ModulePaths paths() {
    return Decoder.PATHS;
  }

  @Override
  default void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    LlamaTensors.read((LlamaConfig) config, tensors);
  }
}
