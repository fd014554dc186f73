package io.guilomo.family.llama;

import io.guilomo.family.FrozenTensors;
import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.family.llama.DecoderSizes.VocabularyHead;
import io.guilomo.network.Backbone;
import io.guilomo.network.CausalHead;
import io.guilomo.network.block.TransformerBlock;
import java.io.IOException;

/** Reads the tensors that decoders have under the names of Hugging Face's LLaMA. */
public final class DecoderTensors {

  private final Decoder config;
  private final FrozenTensors tensors;

  public DecoderTensors(Decoder config, FrozenTensors tensors) {
    this.config = config;
    this.tensors = tensors;
  }

  /** The embeddings of tokens. */
  public void embedding() throws IOException {
    tensors.read(Backbone.WORDS, "model.embed_tokens.weight", config.vocabulary(), config.hidden());
  }

  /** The product with the vocabulary, if there is one, and the classifier of the checkpoint. */
  public void head() throws IOException {
    if (config.sizes().head() == VocabularyHead.TIED) {
      tensors.alias(CausalHead.WEIGHT, Backbone.WORDS);
    } else if (config.sizes().head() == VocabularyHead.OWN) {
      tensors.read(CausalHead.WEIGHT, "lm_head.weight", config.vocabulary(), config.hidden());
    }
    if (config.pretrainedHead() != null) {
      tensors.readClassifier(
          new Piece("score.weight", config.pretrainedHead().classes(), config.hidden()), null);
    }
  }

  /** The name of a frozen tensor of a block, before {@code .weight} or {@code .bias}. */
  public static String part(int layer, String kind) {
    return TransformerBlock.tensor(layer, kind);
  }

  /** What the files call a tensor of a block. */
  public static String stored(int layer, String name) {
    return "model.layers." + layer + "." + name;
  }

  /** q, k and v, one below the other. */
  public void queryKeyValue(int layer, boolean bias) throws IOException {
    long query = config.queryWidth();
    long key = config.keyWidth();
    String q = stored(layer, "self_attn.q_proj");
    String k = stored(layer, "self_attn.k_proj");
    String v = stored(layer, "self_attn.v_proj");
    long hidden = config.hidden();
    tensors.read(
        part(layer, "qkv.weight"),
        new Piece(q + ".weight", query, hidden),
        new Piece(k + ".weight", key, hidden),
        new Piece(v + ".weight", key, hidden));
    if (bias) {
      tensors.read(
          part(layer, "qkv.bias"),
          new Piece(q + ".bias", query),
          new Piece(k + ".bias", key),
          new Piece(v + ".bias", key));
    }
  }

  /** gate and up, one below the other. */
  public void gateUp(int layer, boolean bias) throws IOException {
    long intermediate = config.sizes().intermediate();
    String gate = stored(layer, "mlp.gate_proj");
    String up = stored(layer, "mlp.up_proj");
    tensors.read(
        part(layer, "gateUp.weight"),
        new Piece(gate + ".weight", intermediate, config.hidden()),
        new Piece(up + ".weight", intermediate, config.hidden()));
    if (bias) {
      tensors.read(
          part(layer, "gateUp.bias"),
          new Piece(gate + ".bias", intermediate),
          new Piece(up + ".bias", intermediate));
    }
  }

  /** A linear module of a block. */
  public void linear(int layer, String kind, String name, long rows, long columns, boolean bias)
      throws IOException {
    tensors.read(part(layer, kind + ".weight"), stored(layer, name + ".weight"), rows, columns);
    if (bias) {
      tensors.read(part(layer, kind + ".bias"), stored(layer, name + ".bias"), rows);
    }
  }

  /** A norm of a block. */
  public void norm(int layer, String kind, String name, long features) throws IOException {
    tensors.read(part(layer, kind + ".weight"), stored(layer, name + ".weight"), features);
  }

  /** The norm before the head. */
  public void lastNorm() throws IOException {
    tensors.read(CausalHead.NORM + ".weight", "model.norm.weight", config.hidden());
  }
}
