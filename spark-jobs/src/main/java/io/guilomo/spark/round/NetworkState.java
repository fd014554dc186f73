package io.guilomo.spark.round;

import io.guilomo.network.HostParameters;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.spark.worker.LocalTraining;
import java.io.Serializable;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** What the driver sends to all workers at the start of a round. */
final class NetworkState implements Serializable {

  private static final long serialVersionUID = 1;

  private final NetworkDefinition network;
  private final long parameterCount;
  private final Slice[] parameters;
  private final long updaterCount;
  private final Slice[] updaterState;

  /**
   * @param graph of {@link #configuration}, which must not change while workers read it
   * @param withUpdater whether workers train, and need the moments
   */
  NetworkState(NetworkDefinition network, ComputationGraph graph, boolean withUpdater) {
    this.network = network;
    this.parameterCount = graph.params().length();
    this.parameters = Slices.all(graph.params());
    INDArray state = withUpdater ? graph.getUpdater().getStateViewArray() : null;
    this.updaterCount = state == null ? 0 : state.length();
    this.updaterState = state == null ? null : Slices.all(state);
  }

  NetworkDefinition network() {
    return network;
  }

  /** Arrays of the worker's own. */
  HostParameters parameters() {
    return new HostParameters(
        array(parameterCount, parameters),
        updaterState == null ? null : array(updaterCount, updaterState));
  }

  /** A graph with arrays of its own. */
  ComputationGraph graph() {
    ComputationGraph graph = new ComputationGraph(configuration(parameterCount));
    graph.init(array(parameterCount, parameters), false);
    graph.getUpdater().setStateViewArray(array(updaterCount, updaterState));
    return graph;
  }

  private static INDArray array(long count, Slice[] slices) {
    INDArray flat = Nd4j.createUninitialized(DataType.FLOAT, 1, count);
    for (int i = 0; i < slices.length; i++) {
      Slices.put(flat, i, slices[i].bytes());
    }
    return flat;
  }

  /**
   * The graph that dl4j-spark averages: one layer whose weights are the flat vector of a network,
   * and whose updater keeps two moments of each. It is never run; the workers' steps are those of a
   * {@link LocalTraining}.
   */
  static ComputationGraphConfiguration configuration(long parameters) {
    return new NeuralNetConfiguration.Builder()
        .dataType(DataType.FLOAT)
        .updater(new Adam())
        .trainingWorkspaceMode(WorkspaceMode.NONE)
        .inferenceWorkspaceMode(WorkspaceMode.NONE)
        .graphBuilder()
        .addInputs("nothing")
        .addLayer(
            "parameters",
            new DenseLayer.Builder()
                .nIn(parameters)
                .nOut(1)
                .hasBias(false)
                .weightInit(WeightInit.ZERO)
                .build(),
            "nothing")
        .setOutputs("parameters")
        .build();
  }
}
