package io.guilomo.network;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs a {@link Part} as a layer of a DL4J graph. */
class PartLayer extends BaseLayer<PartConf> {

  private final transient Part part;

  PartLayer(NeuralNetConfiguration conf, DataType dataType, Part part) {
    super(conf, dataType);
    this.part = part;
  }

  Part part() {
    return part;
  }

  @Override
  public void setBackpropGradientsViewArray(INDArray gradients) {
    if (gradients != null) {
      super.setBackpropGradientsViewArray(gradients);
    }
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
    return part.forward(input);
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(
      INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
    INDArray gradient = part.backward(epsilon);
    // The graph insists on a gradient even for parts that need none.
    return new Pair<>(gradientInPlace(), gradient == null ? epsilon : gradient);
  }

  /** The parts write into the flat gradient; there is nothing to hand over. */
  final Gradient gradientInPlace() {
    return new DefaultGradient(gradientsFlattened);
  }

  @Override
  public double calcRegularizationScore(boolean backpropOnlyParams) {
    return 0;
  }

  @Override
  public boolean isPretrainLayer() {
    return false;
  }
}
