package io.guilomo.network;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.Task;
import java.io.Serializable;
import java.util.List;
import java.util.Set;

/**
 * The shape of a frozen transformer, as its {@code config.json} tells it, and the parts that it is
 * made of. This is all that networks know of a model family.
 */
public interface BackboneConfig extends Serializable {

  /** The family by the name that {@code model.family} has for it. */
  String family();

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

  /** Where Hugging Face's classes keep the modules, and the prefix under which files do. */
  ModulePaths paths();

  /** Names of the modules that read what enters a block, as it is or normed. */
  Set<String> attentionInputs();

  /** What the model can learn. */
  Set<Task> tasks();

  /**
   * How a classifier can pool the states of a sequence, without {@link Pooling#AUTO} and {@link
   * Pooling#HEAD}; empty where the model cannot classify.
   */
  Set<Pooling> poolings();

  /** The sequence-classification head that the checkpoint came with; null if none. */
  default PretrainedHead pretrainedHead() {
    return null;
  }

  /** What a classifier pools that was asked to pool so: what {@link Pooling#AUTO} means. */
  default Pooling pooling(Pooling asked) {
    if (asked != Pooling.AUTO) {
      return asked;
    }
    if (pretrainedHead() != null) {
      return Pooling.HEAD;
    }
    return poolings().contains(Pooling.MEAN) ? Pooling.MEAN : Pooling.LAST;
  }

  /**
   * A new norm of the states after the last block, as a classifier reads them; null where blocks
   * end with their own. {@link CausalHead} brings its own.
   *
   * @param arrays where the norm declares what it keeps, under names of the head
   * @param extent rows that it norms
   */
  default Norm finalNorm(ArrayDeclarations arrays, Extent extent) {
    return null;
  }

  /** Heads, widths and mask of the attention of a layer. */
  AttentionShape attention(int layer);

  /** The rotary positions of a layer; null where positions are embedded. */
  Rotary.Shape rotary(int layer);

  /** A new part that turns the tokens of a batch into states. */
  Part embedding();

  /** A new block, with its parameters laid out but its backbone not yet attached. */
  Part block(PartSpec spec);

  /** A new head that predicts the next token. */
  default Head languageModelHead() {
    throw new IllegalStateException("Cannot predict tokens: " + this + " has no such head");
  }
}
