package io.guilomo.network;

import io.guilomo.backbone.LlamaBackbone;
import io.guilomo.backbone.LlamaConfig;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.Kernels;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A block of the LLaMA family (arXiv 2302.13971) with experts on its linear modules.
 *
 * <pre>
 *   x2 = x + o(attention(rotate(q, k), v)),  [q k v] of rmsNorm(x)
 *   y  = x2 + down(silu(gate) ⊙ up),         [gate up] of rmsNorm(x2)
 * </pre>
 */
final class DecoderBlock implements Part {

  private final ParameterLayout layout = new ParameterLayout();
  private final LlamaConfig config;
  private final AttentionShape attention;
  private final boolean first;
  private final String name;
  private final ModuleGroup attentionInput;
  private final ModuleGroup attentionOutput;
  private final ModuleGroup mlpInput;
  private final ModuleGroup mlpOutput;
  private final int layer;
  private PassContext context;
  private LlamaBackbone.Layer weights;
  private INDArray x;

  DecoderBlock(PartSpec spec) {
    this.config = spec.llama();
    this.layer = spec.layer();
    this.first = layer == 0;
    this.name = PartNames.block(layer);
    this.attention =
        new AttentionShape(
            config.heads(),
            config.keyValueHeads(),
            config.headDim(),
            (float) (1 / Math.sqrt(config.headDim())),
            true,
            config.slidingWindow());
    attentionInput =
        new ModuleGroup(name + ".qkv", List.of("q_proj", "k_proj", "v_proj"), spec, layout);
    attentionOutput = new ModuleGroup(name + ".o", List.of("o_proj"), spec, layout);
    mlpInput = new ModuleGroup(name + ".gateUp", List.of("gate_proj", "up_proj"), spec, layout);
    mlpOutput = new ModuleGroup(name + ".down", List.of("down_proj"), spec, layout);
  }

  @Override
  public ParameterLayout parameters() {
    return layout;
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    this.weights = ((LlamaBackbone) shared.backbone()).layers().get(layer);
    attentionInput.attach(shared, parameters, weights.attentionInput(), null);
    attentionOutput.attach(shared, parameters, weights.attentionOutput(), null);
    mlpInput.attach(shared, parameters, weights.mlpInput(), null);
    mlpOutput.attach(shared, parameters, weights.mlpOutput(), null);
  }

  @Override
  public void attachGradient(INDArray gradient) {
    List.of(attentionInput, attentionOutput, mlpInput, mlpOutput)
        .forEach(group -> group.attachGradient(gradient));
  }

  @Override
  public INDArray forward(INDArray input) {
    this.x = input;
    Kernels kernels = context.kernels();
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
    Kernels kernels = context.kernels();
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
        probabilities(),
        query(dqkv),
        key(dqkv),
        value(dqkv));
    rotate(dqkv, true);
    INDArray normed = saved("normed", config.hidden());
    if (first) {
      attentionInput.backward(dqkv, normed, null, false);
      return null;
    }
    attentionInput.backward(dqkv, normed, dNormed, false);
    kernels.rmsNormBackward(dNormed, x, weights.attentionNorm(), savedRow("rms"), d);
    return d;
  }

  private void attend(INDArray qkv, INDArray attended) {
    Kernels kernels = context.kernels();
    KeyValueCache cache = context.cache();
    if (cache == null) {
      kernels.attention(
          attention, starts(), query(qkv), key(qkv), value(qkv), probabilities(), attended);
    } else {
      cache.attend(kernels, layer, attention, query(qkv), key(qkv), value(qkv), attended);
    }
  }

  private void rotate(INDArray qkv, boolean backward) {
    INDArray cosine = context.rotary().cosine();
    INDArray sine = context.rotary().sine();
    int[] positions = context.positions();
    context.kernels().rotate(query(qkv), positions, config.heads(), cosine, sine, backward);
    context.kernels().rotate(key(qkv), positions, config.keyValueHeads(), cosine, sine, backward);
  }

  private int queryWidth() {
    return config.heads() * config.headDim();
  }

  private int keyWidth() {
    return config.keyValueHeads() * config.headDim();
  }

  private INDArray query(INDArray qkv) {
    return context.buffers().columns(qkv, 0, queryWidth());
  }

  private INDArray key(INDArray qkv) {
    return context.buffers().columns(qkv, queryWidth(), keyWidth());
  }

  private INDArray value(INDArray qkv) {
    return context.buffers().columns(qkv, queryWidth() + keyWidth(), keyWidth());
  }

  private int[] starts() {
    return context.batch().starts();
  }

  private INDArray probabilities() {
    return context.saved(
        name, "probabilities", AttentionSizes.probabilities(context.batch(), config.heads()));
  }

  private INDArray saved(String kind, long columns) {
    return context.saved(name, kind, context.batch().size(), columns);
  }

  private INDArray savedRow(String kind) {
    return context.saved(name, kind, context.batch().size());
  }

  private INDArray scratch(String kind, long columns) {
    return context.buffers().array(kind, context.batch().size(), columns);
  }
}
