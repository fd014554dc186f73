package io.guilomo.network;

import java.util.List;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** Runs a {@link Head} as the output layer of a DL4J graph. Its labels come with the batch. */
final class HeadLayer extends PartLayer implements IOutputLayer {

  private final transient Head head;
  private INDArray labels;

  HeadLayer(NeuralNetConfiguration conf, DataType dataType, Head head) {
    super(conf, dataType, head);
    this.head = head;
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(
      INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
    head.measurements().begin();
    return new Pair<>(gradientInPlace(), head.backward(input));
  }

  @Override
  public double computeScore(
      double regularization, boolean training, LayerWorkspaceMgr workspaceMgr) {
    head.measurements().read();
    return head.loss();
  }

  @Override
  public INDArray computeScoreForExamples(double regularization, LayerWorkspaceMgr workspaceMgr) {
    throw unsupported("score single examples");
  }

  @Override
  public boolean needsLabels() {
    return false;
  }

  @Override
  public void setLabels(INDArray array) {
    this.labels = array;
  }

  @Override
  public INDArray getLabels() {
    return labels;
  }

  @Override
  public double f1Score(DataSet data) {
    throw unsupported("compute F1");
  }

  @Override
  public double f1Score(INDArray examples, INDArray expected) {
    throw unsupported("compute F1");
  }

  @Override
  public int numLabels() {
    return layerConf().spec().classes();
  }

  @Override
  public void fit(DataSetIterator iterator) {
    throw unsupported("fit");
  }

  @Override
  public int[] predict(INDArray examples) {
    throw unsupported("predict");
  }

  @Override
  public List<String> predict(DataSet dataSet) {
    throw unsupported("predict");
  }

  @Override
  public void fit(INDArray examples, INDArray expected) {
    throw unsupported("fit");
  }

  @Override
  public void fit(DataSet data) {
    throw unsupported("fit");
  }

  @Override
  public void fit(INDArray examples, int[] expected) {
    throw unsupported("fit");
  }

  private static UnsupportedOperationException unsupported(String what) {
    return new UnsupportedOperationException(
        "Cannot " + what + " through the output layer alone: run the network");
  }
}
