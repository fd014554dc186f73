package io.guilomo.spark.training;

import java.io.Serializable;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What the driver sends to all workers at the begin of a round. */
final class NetworkState implements Serializable {

  private static final long serialVersionUID = 1;

  private final ComputationGraphConfiguration configuration;
  private final long parameterCount;
  private final byte[][] parameters;
  private final long updaterCount;
  private final byte[][] updaterState;

  /** That of {@code graph}; without updater state the graphs made of it cannot be trained. */
  NetworkState(ComputationGraph graph, boolean withUpdater) {
    this.configuration = graph.getConfiguration();
    this.parameterCount = graph.params().length();
    this.parameters = Stretches.all(graph.params());
    INDArray state = withUpdater ? graph.getUpdater().getStateViewArray() : null;
    this.updaterCount = state == null ? 0 : state.length();
    this.updaterState = state == null ? null : Stretches.all(state);
  }

  /** A graph with arrays of its own. */
  ComputationGraph graph() {
    ComputationGraph graph = new ComputationGraph(configuration.clone());
    graph.init(array(parameterCount, parameters), false);
    if (updaterState != null) {
      graph.getUpdater().setStateViewArray(array(updaterCount, updaterState));
    }
    return graph;
  }

  private static INDArray array(long count, byte[][] stretches) {
    INDArray flat = Nd4j.createUninitialized(DataType.FLOAT, 1, count);
    for (int i = 0; i < stretches.length; i++) {
      Stretches.put(flat, i, stretches[i]);
    }
    return flat;
  }
}
