package io.guilomo.family;

import io.guilomo.model.LinearModule;
import java.io.Serializable;
import java.util.List;

/** The shape of a transformer, as its {@code config.json} tells it. */
public sealed interface BackboneConfig extends Serializable permits LlamaConfig, BertConfig {

  /** Width of the residual stream. */
  int hidden();

  /** Blocks. */
  int layers();

  int heads();

  int vocabulary();

  /** The longest sequence the model can read, in tokens. */
  int maxPositions();

  /** Elements of all frozen tensors that are loaded; each becomes a float32. */
  long parameters();

  /**
   * Every linear module that can carry experts, block by block, in the order in which the released
   * GuiLoMo code lists them.
   */
  List<LinearModule> linearModules();
}
