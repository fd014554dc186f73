package io.guilomo.family.phi;

import io.guilomo.family.llama.Decoder;
import io.guilomo.family.llama.DecoderSizes;
import io.guilomo.kernel.Activation;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.Rope;
import io.guilomo.network.Rotary;
import java.util.ArrayList;
import java.util.List;

/**
 * Shape of a decoder of Phi-3 (arXiv 2404.14219): LLaMA's blocks with q, k and v in one linear
 * module and gate and up in another, on which the experts are too.
 *
 * @param activation of the gate
 * @param rotated features of a head that are rotated
 * @param window tokens that a position looks back at, itself included; 0 for all
 */
public record PhiConfig(
    DecoderSizes sizes, Activation activation, Rope rope, int rotated, int window)
    implements Decoder {

  static final String FAMILY = "phi3";

  /** Modules of a block, in the order in which it computes them. */
  static final List<String> MODULES = List.of("qkv_proj", "o_proj", "gate_up_proj", "down_proj");

  /** Where Hugging Face keeps them, in the order of the state dict. */
  static final ModulePaths PATHS =
      ModulePaths.decoder(
          "self_attn.o_proj", "self_attn.qkv_proj", "mlp.gate_up_proj", "mlp.down_proj");

  @Override
  public String family() {
    return FAMILY;
  }

  @Override
  public ModulePaths paths() {
    return PATHS;
  }

  @Override
  public Rope rope(int layer) {
    return rope;
  }

  @Override
  public int window(int layer) {
    return window;
  }

  @Override
  public long extraParameters() {
    return 0;
  }

  @Override
  public List<LinearModule> linearModules() {
    List<LinearModule> modules = new ArrayList<>();
    int intermediate = sizes.intermediate();
    for (int layer = 0; layer < layers(); layer++) {
      modules.add(new LinearModule(layer, "qkv_proj", hidden(), queryWidth() + 2 * keyWidth()));
      modules.add(new LinearModule(layer, "o_proj", queryWidth(), hidden()));
      modules.add(new LinearModule(layer, "gate_up_proj", hidden(), 2 * intermediate));
      modules.add(new LinearModule(layer, "down_proj", intermediate, hidden()));
    }
    return modules;
  }

  @Override
  public List<String> queryKeyValue() {
    return List.of("qkv_proj");
  }

  @Override
  public List<String> gateUp() {
    return List.of("gate_up_proj");
  }

  @Override
  public Rotary.Shape rotary(int layer) {
    return new Rotary.Shape(rope, rotated, maxPositions());
  }
}
