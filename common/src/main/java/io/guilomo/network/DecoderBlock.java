package io.guilomo.network;

import io.guilomo.family.LlamaBackbone;
import io.guilomo.family.LlamaConfig;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A block of the LLaMA family (arXiv 2302.13971) with experts on its linear modules.
 *
 * <pre>
 *   x2 = x + o(attention(rotate(q, k), v)),  [q k v] of rmsNorm(x)
 *   y  = x2 + down(silu(gate) ⊙ up),         [gate up] of rmsNorm(x2)
 * </pre>
 */
final class DecoderBlock extends TransformerBlock {

  private final LlamaConfig config;
  private final AttentionShape attention;
  private final ModuleGroup attentionInput;
  private final ModuleGroup attentionOutput;
  private final ModuleGroup mlpInput;
  private final ModuleGroup mlpOutput;
  private LlamaBackbone.Layer weights;
  private INDArray x;

  DecoderBlock(PartSpec spec) {
    super(spec);
    this.config = (LlamaConfig) spec.config();
    this.attention =
        new AttentionShape(
            config.heads(),
            config.keyValueHeads(),
            config.headDim(),
            (float) (1 / Math.sqrt(config.headDim())),
            true,
            config.slidingWindow());
    attentionInput = group("qkv", "q_proj", "k_proj", "v_proj");
    attentionOutput = group("o", "o_proj");
    mlpInput = group("gateUp", "gate_proj", "up_proj");
    mlpOutput = group("down", "down_proj");
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    super.attach(shared, parameters);
    this.weights = ((LlamaBackbone) shared.backbone()).layers().get(layer());
    attentionInput.attach(shared, parameters, weights.attentionInput(), null);
    attentionOutput.attach(shared, parameters, weights.attentionOutput(), null);
    mlpInput.attach(shared, parameters, weights.mlpInput(), null);
    mlpOutput.attach(shared, parameters, weights.mlpOutput(), null);
  }

  @Override
  public INDArray forward(INDArray input) {
    this.x = input;
    Kernels kernels = context().kernels();
    INDArray normed = saved("normed", config.hidden());
    kernels.rmsNorm(x, weights.attentionNorm(), config.epsilon(), normed, savedRow("rms"));
    INDArray qkv = saved("qkvOut", attentionInput.outFeatures());
    attentionInput.forward(normed, qkv, false);
    rotate(qkv, false);
    INDArray attended = saved("attended", queryWidth());
    attend(qkv, attended);

    INDArray middle = saved("middle", config.hidden());
    kernels.copy(x, middle);
    attentionOutput.forward(attended, middle, true);
    INDArray middleNormed = saved("middleNormed", config.hidden());
    kernels.rmsNorm(
        middle, weights.mlpNorm(), config.epsilon(), middleNormed, savedRow("middleRms"));
    INDArray gateUp = saved("gateUpOut", mlpInput.outFeatures());
    mlpInput.forward(middleNormed, gateUp, false);
    INDArray activated = saved("activated", config.intermediate());
    kernels.swiGlu(gateUp, activated);
    INDArray y = saved("y", config.hidden());
    kernels.copy(middle, y);
    mlpOutput.forward(activated, y, true);
    return y;
  }

  @Override
  public INDArray backward(INDArray d) {
    Kernels kernels = context().kernels();
    INDArray gateUp = saved("gateUpOut", mlpInput.outFeatures());
    INDArray dActivated = scratch("dActivated", config.intermediate());
    mlpOutput.backward(d, saved("activated", config.intermediate()), dActivated, false);
    kernels.swiGluBackward(dActivated, gateUp, gateUp);
    INDArray dNormed = scratch("dNormed", config.hidden());
    mlpInput.backward(gateUp, saved("middleNormed", config.hidden()), dNormed, false);
    kernels.rmsNormBackward(
        dNormed, saved("middle", config.hidden()), weights.mlpNorm(), savedRow("middleRms"), d);

    INDArray qkv = saved("qkvOut", attentionInput.outFeatures());
    INDArray dAttended = scratch("dAttended", queryWidth());
    attentionOutput.backward(d, saved("attended", queryWidth()), dAttended, false);
    INDArray dqkv = scratch("dqkv", attentionInput.outFeatures());
    kernels.attentionBackward(
        attention,
        starts(),
        dAttended,
        query(qkv),
        key(qkv),
        value(qkv),
        saved("attended", queryWidth()),
        attentionState(attention),
        query(dqkv),
        key(dqkv),
        value(dqkv));
    rotate(dqkv, true);
    INDArray normed = saved("normed", config.hidden());
    if (first()) {
      attentionInput.backward(dqkv, normed, null, false);
      return null;
    }
    attentionInput.backward(dqkv, normed, dNormed, false);
    kernels.rmsNormBackward(dNormed, x, weights.attentionNorm(), savedRow("rms"), d);
    return d;
  }

  private void attend(INDArray qkv, INDArray attended) {
    Kernels kernels = context().kernels();
    KeyValueCache cache = context().cache();
    if (cache == null) {
      kernels.attention(
          attention,
          starts(),
          query(qkv),
          key(qkv),
          value(qkv),
          attentionState(attention),
          attended);
    } else {
      cache.attend(kernels, layer(), attention, query(qkv), key(qkv), value(qkv), attended);
    }
  }

  private void rotate(INDArray qkv, boolean backward) {
    INDArray cosine = context().rotary().cosine();
    INDArray sine = context().rotary().sine();
    int[] positions = context().positions();
    context().kernels().rotate(query(qkv), positions, config.heads(), cosine, sine, backward);
    context().kernels().rotate(key(qkv), positions, config.keyValueHeads(), cosine, sine, backward);
  }

  private int queryWidth() {
    return config.heads() * config.headDim();
  }

  private int keyWidth() {
    return config.keyValueHeads() * config.headDim();
  }

  private INDArray query(INDArray qkv) {
    return context().buffers().columns(qkv, 0, queryWidth());
  }

  private INDArray key(INDArray qkv) {
    return context().buffers().columns(qkv, queryWidth(), keyWidth());
  }

  private INDArray value(INDArray qkv) {
    return context().buffers().columns(qkv, queryWidth() + keyWidth(), keyWidth());
  }
}
