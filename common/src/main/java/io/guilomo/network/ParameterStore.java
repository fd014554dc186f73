package io.guilomo.network;

import io.guilomo.io.FloatMemory;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The flat parameters, their gradient and the updater's moments that passes and steps work on: the
 * arrays of the graph itself where the kernels compute in the host's memory, copies of them
 * elsewhere.
 */
final class ParameterStore implements AutoCloseable {

  private static final int BLOCK = 1 << 20;

  private final ComputationGraph graph;
  private final Kernels kernels;
  private final boolean host;
  private final INDArray parameters;
  private final INDArray gradient;
  private INDArray moments;

  /**
   * @param graph with a gradient
   */
  ParameterStore(ComputationGraph graph, Kernels kernels) {
    this.graph = graph;
    this.kernels = kernels;
    this.host = kernels.memory().equals(Kernels.HOST);
    if (host) {
      parameters = graph.params();
      gradient = graph.getFlattenedGradients();
    } else {
      parameters = kernels.allocate(DataType.FLOAT, graph.numParams());
      gradient = kernels.allocate(DataType.FLOAT, graph.numParams());
      kernels.fill(gradient, 0);
      upload();
    }
  }

  INDArray parameters() {
    return parameters;
  }

  INDArray gradient() {
    return gradient;
  }

  /** The updater's state; a network that is not trained never asks for it. */
  INDArray moments() {
    if (host) {
      return graph.getUpdater().getStateViewArray();
    }
    if (moments == null) {
      INDArray state = graph.getUpdater().getStateViewArray();
      moments = kernels.allocate(DataType.FLOAT, state.length());
      upload(state, moments);
    }
    return moments;
  }

  /** Takes over parameters and updater state that were changed in the graph. */
  void upload() {
    if (host) {
      return;
    }
    upload(graph.params(), parameters);
    if (moments != null) {
      upload(graph.getUpdater().getStateViewArray(), moments);
    }
  }

  /** Brings parameters, gradient and updater state back into the graph. */
  void download() {
    if (host) {
      return;
    }
    download(parameters, graph.params());
    download(gradient, graph.getFlattenedGradients());
    if (moments != null) {
      download(moments, graph.getUpdater().getStateViewArray());
    }
  }

  private void upload(INDArray from, INDArray to) {
    FloatMemory memory = FloatMemory.of(from);
    float[] block = new float[(int) Math.min(BLOCK, from.length())];
    for (long done = 0; done < from.length(); done += block.length) {
      int count = (int) Math.min(block.length, from.length() - done);
      memory.get(done, block, count);
      kernels.write(block, ArrayViews.stretch(to, done, count));
    }
  }

  private void download(INDArray from, INDArray to) {
    FloatMemory memory = FloatMemory.of(to);
    float[] block = new float[(int) Math.min(BLOCK, from.length())];
    for (long done = 0; done < from.length(); done += block.length) {
      int count = (int) Math.min(block.length, from.length() - done);
      kernels.read(ArrayViews.stretch(from, done, count), block);
      memory.put(done, block, count);
    }
  }

  @Override
  public void close() {
    if (!host) {
      kernels.release(parameters);
      kernels.release(gradient);
      if (moments != null) {
        kernels.release(moments);
      }
    }
  }
}
