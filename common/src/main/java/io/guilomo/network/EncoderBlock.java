package io.guilomo.network;

import io.guilomo.family.BertBackbone;
import io.guilomo.family.BertConfig;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A block of the BERT family (arXiv 1810.04805) with experts on its linear modules.
 *
 * <pre>
 *   y1 = layerNorm(x + output(attention(query, key, value)))
 *   y  = layerNorm(y1 + output(gelu(intermediate(y1))))
 * </pre>
 */
final class EncoderBlock extends TransformerBlock {

  private final BertConfig config;
  private final AttentionShape attention;
  private final ModuleGroup attentionInput;
  private final ModuleGroup attentionOutput;
  private final ModuleGroup mlpInput;
  private final ModuleGroup mlpOutput;
  private BertBackbone.Layer weights;
  private INDArray x;

  EncoderBlock(PartSpec spec) {
    super(spec);
    this.config = (BertConfig) spec.config();
    int headDim = config.hidden() / config.heads();
    this.attention =
        new AttentionShape(
            config.heads(), config.heads(), headDim, (float) (1 / Math.sqrt(headDim)), false, 0);
    attentionInput = group("qkv", "query", "key", "value");
    attentionOutput = group("attentionOutput", "attention_output");
    mlpInput = group("intermediate", "intermediate");
    mlpOutput = group("output", "output");
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    super.attach(shared, parameters);
    this.weights = ((BertBackbone) shared.backbone()).layers().get(layer());
    attentionInput.attach(
        shared, parameters, weights.attentionInput(), weights.attentionInputBias());
    attentionOutput.attach(
        shared, parameters, weights.attentionOutput(), weights.attentionOutputBias());
    mlpInput.attach(shared, parameters, weights.mlpInput(), weights.mlpInputBias());
    mlpOutput.attach(shared, parameters, weights.mlpOutput(), weights.mlpOutputBias());
  }

  @Override
  public INDArray forward(INDArray input) {
    this.x = input;
    Kernels kernels = context().kernels();
    int hidden = config.hidden();
    INDArray qkv = saved("qkvOut", 3L * hidden);
    attentionInput.forward(x, qkv, false);
    INDArray attended = saved("attended", hidden);
    kernels.attention(
        attention,
        starts(),
        part(qkv, 0),
        part(qkv, 1),
        part(qkv, 2),
        attentionState(attention),
        attended);
    INDArray sum = saved("attentionSum", hidden);
    kernels.copy(x, sum);
    attentionOutput.forward(attended, sum, true);
    INDArray middle = saved("middle", hidden);
    norm(weights.attentionNorm(), sum, middle, "attention");

    INDArray intermediate = saved("intermediateOut", config.intermediate());
    mlpInput.forward(middle, intermediate, false);
    INDArray activated = saved("activated", config.intermediate());
    kernels.gelu(intermediate, activated);
    INDArray outputSum = saved("outputSum", hidden);
    kernels.copy(middle, outputSum);
    mlpOutput.forward(activated, outputSum, true);
    INDArray y = saved("y", hidden);
    norm(weights.outputNorm(), outputSum, y, "output");
    return y;
  }

  @Override
  public INDArray backward(INDArray d) {
    Kernels kernels = context().kernels();
    int hidden = config.hidden();
    normBackward(weights.outputNorm(), d, saved("outputSum", hidden), "output");
    INDArray dActivated = scratch("dActivated", config.intermediate());
    mlpOutput.backward(d, saved("activated", config.intermediate()), dActivated, false);
    kernels.geluBackward(dActivated, saved("intermediateOut", config.intermediate()), dActivated);
    mlpInput.backward(dActivated, saved("middle", hidden), d, true);

    normBackward(weights.attentionNorm(), d, saved("attentionSum", hidden), "attention");
    INDArray dAttended = scratch("dAttended", hidden);
    attentionOutput.backward(d, saved("attended", hidden), dAttended, false);
    INDArray qkv = saved("qkvOut", 3L * hidden);
    INDArray dqkv = scratch("dqkv", 3L * hidden);
    kernels.attentionBackward(
        attention,
        starts(),
        dAttended,
        part(qkv, 0),
        part(qkv, 1),
        part(qkv, 2),
        saved("attended", hidden),
        attentionState(attention),
        part(dqkv, 0),
        part(dqkv, 1),
        part(dqkv, 2));
    attentionInput.backward(dqkv, x, first() ? null : d, true);
    return first() ? null : d;
  }

  private void norm(BertBackbone.Norm norm, INDArray sum, INDArray y, String kind) {
    context()
        .kernels()
        .layerNorm(
            sum,
            norm.weight(),
            norm.bias(),
            config.epsilon(),
            y,
            savedRow(kind + "Mean"),
            savedRow(kind + "Deviation"));
  }

  private void normBackward(BertBackbone.Norm norm, INDArray d, INDArray sum, String kind) {
    context()
        .kernels()
        .layerNormBackward(
            d, sum, norm.weight(), savedRow(kind + "Mean"), savedRow(kind + "Deviation"), d);
  }

  private INDArray part(INDArray qkv, int index) {
    return context().buffers().columns(qkv, (long) index * config.hidden(), config.hidden());
  }
}
